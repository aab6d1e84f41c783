"""The sample's postgres."""
