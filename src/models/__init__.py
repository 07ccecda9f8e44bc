"""The example application's tables: a to-do list that a chatbot keeps.

Every module with tables is imported here, so that `SQLModel.metadata` is complete when the package is imported.
"""

from sqlmodel import SQLModel

from models import base  # noqa: F401  (sets the naming convention before any table is made)
from models.conversations import Conversation, Message, MessageRole
from models.todos import Task, TaskStatus
from models.users import User

__all__ = ["Conversation", "Message", "MessageRole", "SQLModel", "Task", "TaskStatus", "User"]
