"""Alembic and SQLAlchemy, driven from inside: imported only by what runs or compares revisions."""
