"""Invoke tasks that take a PostgreSQL schema change from an edited model to production without surprises."""

__version__ = "0.1.0"
