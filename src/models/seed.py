"""A little to look at after `invoke reset-dev --seed`."""

from sqlalchemy import Connection
from sqlmodel import Session

from models.conversations import Conversation, Message, MessageRole
from models.todos import Task
from models.users import User


def seed(connection: Connection) -> None:
    """Add one user with two tasks and a conversation; the caller commits."""
    with Session(connection) as session:
        user = User(email="ada@example.com", display_name="Ada", timezone="Europe/London")
        session.add(user)
        session.flush()
        assert user.id is not None
        session.add_all(
            [Task(user_id=user.id, title="Weave the engine"), Task(user_id=user.id, title="Write the notes")]
        )
        conversation = Conversation(user_id=user.id, title="What is due today?")
        session.add(conversation)
        session.flush()
        assert conversation.id is not None
        session.add(Message(conversation_id=conversation.id, role=MessageRole.USER, content="What is due today?"))
        session.flush()
