"""Results as text and JSON; one file per task."""
