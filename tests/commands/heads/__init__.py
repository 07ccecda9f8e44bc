"""The tasks about the heads of the history."""
