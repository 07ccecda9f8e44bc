"""Operations that Alembic does not have; each can be turned round, and is rendered as plain Alembic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alembic.operations import ops

from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import flatten


@dataclass(frozen=True)
class Way:
    """One direction of SQL in a revision.

    Args:
        statements: One after the other.
        text: One line for a reader.
        alone: In an autocommit block: PostgreSQL takes them outside of a transaction only.
        remark: A comment to stand before them.
    """

    statements: tuple[str, ...]
    text: str
    alone: bool = False
    remark: str = ""


class StatementOp(ops.MigrateOperation):
    """SQL in the revision, both ways.

    Args:
        kind: What it is, for the list of operations.
        up: The way forward.
        down: The way back.
        table: The table it is about, or an empty string.
    """

    def __init__(self, kind: str, up: Way, down: Way, *, table: str = "") -> None:
        self.kind, self.up, self.down, self.table_name = kind, up, down, table

    @property
    def text(self) -> str:
        """One line for a reader."""
        return self.up.text

    def reverse(self) -> StatementOp:
        """Swap both ways."""
        return StatementOp(self.kind, self.down, self.up, table=self.table_name)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Tell `alembic check` what it is."""
        return (self.kind, self.text)


class RenameColumnOp(ops.MigrateOperation):
    """A column that keeps its values under another name."""

    kind = "rename_column"

    def __init__(self, table: str, old: str, new: str, *, schema: str | None = None) -> None:
        self.table_name, self.column_name, self.new_name, self.schema = table, old, new, schema

    def reverse(self) -> RenameColumnOp:
        """Give it its old name."""
        return RenameColumnOp(self.table_name, self.new_name, self.column_name, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Tell `alembic check` what it is."""
        return (self.kind, self.schema, self.table_name, self.column_name, self.new_name)


class RenameTableOp(ops.RenameTableOp):
    """Alembic's own, with a way back."""

    kind = "rename_table"

    def reverse(self) -> RenameTableOp:
        """Give it its old name."""
        return RenameTableOp(self.new_table_name, self.table_name, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Tell `alembic check` what it is."""
        return (self.kind, self.schema, self.table_name, self.new_table_name)


@dataclass(frozen=True)
class Filling:
    """How rows that are there already get a value.

    Args:
        value: An SQL expression; empty leaves the column nullable, because nothing can be put there.
        is_constant: The same for all rows, so that a default fills them at once.
        key: The column that batches go along; empty for one UPDATE of all rows.
        is_distinct: The expression uses `n`, the number of the row.
        remark: A comment to stand before it.
    """

    value: str
    is_constant: bool = False
    key: str = ""
    is_distinct: bool = False
    remark: str = ""


class AddFilledColumnOp(ops.AddColumnOp):
    """A NOT NULL column for a table that may hold rows."""

    filling: Filling

    @classmethod
    def make(cls, operation: ops.AddColumnOp, filling: Filling) -> AddFilledColumnOp:
        """Add how rows are filled to Alembic's operation."""
        made = cls(operation.table_name, operation.column, schema=operation.schema)
        made.if_not_exists, made.filling = operation.if_not_exists, filling
        return made


class DropFilledColumnOp(ops.DropColumnOp):
    """A NOT NULL column that goes; on the way back the rows that are there need a value for it."""

    filling: Filling

    @classmethod
    def make(cls, operation: ops.DropColumnOp, filling: Filling) -> DropFilledColumnOp:
        """Add how rows are filled on the way back."""
        made = cls(operation.table_name, operation.column_name, schema=operation.schema, _reverse=operation._reverse)
        made.if_exists, made.filling = operation.if_exists, filling
        return made

    def reverse(self) -> ops.AddColumnOp:
        """Add it with a value in each row."""
        return AddFilledColumnOp.make(super().reverse(), self.filling)


class RetypeColumnOp(ops.AlterColumnOp):
    """A change of type with the conversion that it needs, either way."""


class ChangeIdentityOp(ops.AlterColumnOp):
    """A change of an identity column, whose old kind has to be in the file: without it Alembic would add another one."""


class UnansweredOp(ops.MigrateOperation):
    """What has to be answered before a file can be written; `alembic check` does not need to know."""

    kind = "question"

    def __init__(self, questions: tuple[Question, ...]) -> None:
        self.questions = questions

    def reverse(self) -> UnansweredOp:
        """Ask only once."""
        return UnansweredOp(())

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Tell `alembic check` what it is."""
        return (self.kind, *(each.text for each in self.questions))


def live_names(upgrade: Any, operation: Any) -> tuple[str, str]:
    """Name the table and the column of an operation as they are called before the renames that come with it."""
    table, column = str(operation.table_name), str(operation.column_name)
    renames = [each for each in flatten(upgrade) if isinstance(each, RenameColumnOp | RenameTableOp)]
    for each in renames:
        is_there = each.schema == operation.schema
        if is_there and isinstance(each, RenameColumnOp) and (each.table_name, each.new_name) == (table, column):
            column = each.column_name
    for each in renames:
        if each.schema == operation.schema and isinstance(each, RenameTableOp) and each.new_table_name == table:
            table = each.table_name
    return table, column
