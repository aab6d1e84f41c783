"""Trials: what a bot does when something is slow, fails or is too much."""
