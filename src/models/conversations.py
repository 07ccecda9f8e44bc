"""What was said."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import created_at


class MessageRole(StrEnum):
    """Who speaks; stored by value."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Conversation(SQLModel, table=True):
    """A thread of messages between one user and the chatbot."""

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_user_id_created_at", "user_id", "created_at"),)

    id: UUID | None = Field(default=None, primary_key=True, sa_column_kwargs={"server_default": func.gen_random_uuid()})
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE")
    title: str | None = Field(default=None, max_length=200)
    created_at: datetime | None = created_at()


class Message(SQLModel, table=True):
    """One utterance, with the tool calls that came with it."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_conversation_id_created_at", "conversation_id", "created_at"),)

    id: int | None = Field(default=None, primary_key=True)
    conversation_id: UUID = Field(foreign_key="conversations.id", ondelete="CASCADE")
    role: MessageRole = Field(
        sa_type=Enum(MessageRole, name="message_role", values_callable=lambda e: [m.value for m in e]),
    )
    content: str
    tool_calls: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB, nullable=True)
    created_at: datetime | None = created_at()
