"""index open tasks by due date

"What is due today?" reads open tasks only. Built CONCURRENTLY: nobody waits while it is made.

Revision ID: 7d20e85f6b13
Revises: abc123def456
Create Date: 2026-01-14 09:05:44.017733+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "7d20e85f6b13"
down_revision: str | Sequence[str] | None = "abc123def456"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_tasks_open_due_at", "tasks", ["due_at"], postgresql_where=sa.text("completed_at IS NULL"), postgresql_concurrently=True
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_tasks_open_due_at", table_name="tasks", postgresql_concurrently=True)
