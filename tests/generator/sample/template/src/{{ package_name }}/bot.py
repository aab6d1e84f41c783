"""The sample's bot."""
