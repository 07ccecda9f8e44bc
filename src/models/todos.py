"""Things a user wants done."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import created_at, moment


class TaskStatus(StrEnum):
    """How far a task is; stored by value."""

    OPEN = "open"
    DONE = "done"
    ARCHIVED = "archived"


class Task(SQLModel, table=True):
    """One to-do item."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_user_id_status_due_at", "user_id", "status", "due_at"),
        Index("ix_tasks_open_due_at", "due_at", postgresql_where=text("completed_at IS NULL")),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE")
    title: str = Field(max_length=500)
    status: TaskStatus = Field(
        default=TaskStatus.OPEN,
        sa_type=Enum(TaskStatus, name="task_status", values_callable=lambda e: [m.value for m in e]),
        sa_column_kwargs={"server_default": TaskStatus.OPEN.value},
    )
    details: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": text("'{}'::jsonb")}
    )
    due_at: datetime | None = moment()
    completed_at: datetime | None = moment()
    created_at: datetime | None = created_at()
