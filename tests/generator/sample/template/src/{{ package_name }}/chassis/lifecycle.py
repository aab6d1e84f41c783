"""The sample's lifecycle."""
