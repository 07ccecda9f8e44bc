"""The tasks about the ledger."""
