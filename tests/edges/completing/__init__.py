"""Generated revisions, each run up, down and up again on tables that hold rows."""
