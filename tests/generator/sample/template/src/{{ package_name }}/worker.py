"""The sample's worker."""
