"""An example slice: copy it for your own, then delete it."""
