"""Endpoints that do what a service should survive."""
