"""The sample's settings."""
