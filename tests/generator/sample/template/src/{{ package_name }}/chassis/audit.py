"""The sample's audit."""
