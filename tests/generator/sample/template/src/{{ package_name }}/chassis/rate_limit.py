"""The sample's rate_limit."""
