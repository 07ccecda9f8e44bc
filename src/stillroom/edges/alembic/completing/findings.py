"""What a comparison knows and finds besides its operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import CompileError

from stillroom.core.generation import Answers, Question
from stillroom.edges.alembic.completing.texts import dialect

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "stillroom_findings"


@dataclass
class Findings:
    """Carried in the options of Alembic's context, from env.py to the comparators and back.

    Args:
        answers: What was answered already.
        questions: What has to be answered before a file can be written.
        notes: What a reviewer should know, as sentences.
        left_alone: Tables that are not the models', and why.
        used: The answers that were of use, by flag and subject.
        former: Tables that are renamed, new name to old: an answer may call them by either.
    """

    answers: Answers = field(default_factory=Answers)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_alone: dict[str, str] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)
    former: dict[str, str] = field(default_factory=dict)

    def find(self, kind: str, subject: str) -> str | None:
        """Look an answer up, and remember that it was of use."""
        known = getattr(self.answers, kind)
        for name in self._names(subject):
            if name in known:
                self.used.add((kind, name))
                return str(known[name])
        return None

    def forget(self, kind: str, subject: str) -> None:
        """Take it back: an answer that was found fits nothing."""
        self.used -= {(kind, name) for name in self._names(subject)}

    def _names(self, subject: str) -> tuple[str, ...]:
        old = (f"{old}{subject[len(new) :]}" for new, old in self.former.items() if subject.startswith(f"{new}."))
        return (subject, *old)

    def note(self, text: str) -> None:
        """Add a sentence for the reviewer, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def unused(self) -> tuple[tuple[str, str], ...]:
        """Answers to nothing that was asked, most often a slip of the pen."""
        return tuple(sorted(self.answers.all_given - self.used))


def findings_of(context: Any) -> Findings:
    """Take them from Alembic's autogenerate context; new ones where env.py did not come through us."""
    found: Findings = context.opts.setdefault(KEY, Findings())
    return found


def flatten(container: Any) -> Iterator[Any]:
    """Yield the operations of a container and of those in it."""
    from alembic.operations import ops

    for operation in container.ops:
        if isinstance(operation, ops.OpContainer):
            yield from flatten(operation)
        else:
            yield operation


def ddl_of(item: Any) -> str:
    """Write a type as PostgreSQL's DDL; a type that has none of its own by its name in Python."""
    try:
        return str(item.compile(dialect=dialect()))
    except CompileError:
        return type(item).__name__


def quoted(*parts: str | None) -> str:
    """Quote a name where PostgreSQL needs it, the schema before it if there is one."""
    prepare = dialect().identifier_preparer
    return ".".join(prepare.quote(part) for part in parts if part)


def shown(schema: str | None, *parts: str) -> str:
    """Name a thing as a person would, and as the flags take it."""
    return ".".join([*([schema] if schema else []), *parts])


def literal(text: str) -> str:
    """Write a string as SQL."""
    return "'" + text.replace("'", "''") + "'"


def words(*parts: str) -> str:
    """Put a statement of a revision together; nothing of it is sent from here."""
    return " ".join(parts)


def plain_name(name: Any) -> str:
    """Take a name out of SQLAlchemy's own kinds of strings, so that its repr is a plain one."""
    return str.__str__(name)
