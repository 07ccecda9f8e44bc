"""Enum types: made, grown, renamed, made anew, dropped, with all that hangs on them."""
