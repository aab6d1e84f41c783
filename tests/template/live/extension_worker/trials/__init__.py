"""Jobs that behave as the tests want."""
