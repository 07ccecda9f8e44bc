"""People who talk to the chatbot."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import created_at


class User(SQLModel, table=True):
    """One account; `timezone` is an IANA name and decides what "tomorrow" means."""

    __tablename__ = "users"

    id: UUID | None = Field(default=None, primary_key=True, sa_column_kwargs={"server_default": func.gen_random_uuid()})
    email: str = Field(max_length=320, unique=True)
    display_name: str = Field(max_length=200)
    settings: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": text("'{}'::jsonb")}
    )
    timezone: str = Field(default="UTC", max_length=64, sa_column_kwargs={"server_default": "UTC"})
    created_at: datetime | None = created_at()
