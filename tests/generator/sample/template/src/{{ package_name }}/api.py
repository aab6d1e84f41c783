"""The sample's api."""
