"""The sample's tracing."""
