"""What autogenerate leaves out or gets wrong on PostgreSQL, put right on Alembic's own seams."""
