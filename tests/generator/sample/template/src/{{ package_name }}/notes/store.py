"""The sample's store."""
