"""What the ledger keeps: who ran what and when, which script text it was, and how it ended."""
