"""add user timezone

The chatbot kept a user's time zone among the free-form settings; it becomes a column, with what is there carried over.

Revision ID: abc123def456
Revises: 3f9c1a7be204
Create Date: 2026-01-13 14:30:27.860142+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "abc123def456"
down_revision: str | Sequence[str] | None = "3f9c1a7be204"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("users", sa.Column("timezone", sa.String(length=64), server_default="UTC", nullable=False))
    op.execute("update users set timezone = settings ->> 'timezone', settings = settings - 'timezone' where settings ? 'timezone'")


def downgrade() -> None:
    op.execute("update users set settings = settings || jsonb_build_object('timezone', timezone) where timezone <> 'UTC'")
    op.drop_column("users", "timezone")
