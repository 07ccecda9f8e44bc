"""What all tables share: how constraints are named, and times that know their zone."""

from typing import Any

from sqlalchemy import DateTime, func
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def created_at() -> Any:
    """Make a column that the server fills with the time of insertion."""
    return Field(
        default=None, sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": func.now()}, nullable=False
    )


def moment() -> Any:
    """Make a column for a point in time that may not have come yet."""
    return Field(default=None, sa_type=DateTime(timezone=True), nullable=True)
