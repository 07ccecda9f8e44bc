"""Compare the models with the database and render what differs as a revision's text; nothing is locked or written."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg2
from alembic.autogenerate.api import RevisionContext
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy.exc import DBAPIError

from stillroom.core.generation import Answers, Question
from stillroom.core.messages import SLUG_LENGTH
from stillroom.core.operations import Operation
from stillroom.edges.alembic.attempt import Attempt
from stillroom.edges.alembic.completing.findings import Findings, flatten
from stillroom.edges.alembic.completing.operations import UnansweredOp
from stillroom.edges.alembic.config import importing, load_scripts, make_config
from stillroom.edges.alembic.engine import make_engine
from stillroom.edges.alembic.enums import CreateEnumOp
from stillroom.edges.alembic.hooks import configure_options
from stillroom.edges.alembic.models import find_unimported, unimported_notes
from stillroom.edges.alembic.recording import describe_operation
from stillroom.edges.alembic.template import Pages
from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.errors import describe
from stillroom.errors import DatabaseError

if TYPE_CHECKING:
    from stillroom.core.layout import Layout
    from stillroom.core.urls import DatabaseUrl

NONE = Answers()


@dataclass(frozen=True)
class Source:
    """What is compared, and what the new revision is to be called.

    Args:
        layout: The project's files.
        url: The database, at the project's head.
        search_path: Fixed for the comparison; None for the server's own.
        lock_timeout_ms: Longest wait for a table somebody rewrites.
        revision: The new id.
        head: What it follows; None for the first one.
        is_empty: Compare nothing.
        answers: What was answered already.
        unmanaged: Patterns of tables that belong to somebody else.
    """

    layout: Layout
    url: DatabaseUrl
    search_path: str | None
    lock_timeout_ms: int
    revision: str
    head: str | None
    is_empty: bool = False
    answers: Answers = NONE
    unmanaged: tuple[str, ...] = ()

    @property
    def token(self) -> str:
        """What stands in the text where the message comes."""
        return f"stillroom-message-{self.revision}"


@dataclass(frozen=True)
class Generated:
    """A revision that exists in memory only.

    Args:
        revision: Its id.
        token: Stands in the text in the place of the message.
        text: The file.
        operations: What its upgrade does.
        table_count: How many tables the models have.
        unimported: Modules beside the imported models that nothing imported.
        file_template: alembic.ini's.
        slug_length: alembic.ini's.
        created_at: Now, in UTC.
        questions: What has to be answered first; then there is no text.
        notes: What a reviewer should know.
        left_alone: Tables that are not the models', and why.
        unused: Answers to nothing that was asked, by flag and subject.
    """

    revision: str
    token: str
    text: str
    operations: tuple[Operation, ...]
    table_count: int
    unimported: tuple[str, ...]
    file_template: str
    slug_length: int
    created_at: datetime
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    left_alone: tuple[tuple[str, str], ...] = ()
    unused: tuple[tuple[str, str], ...] = ()

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, and the modules whose tables nobody compared."""
        return (*self.notes, *unimported_notes(self.unimported))


def generate_revision(source: Source) -> Generated:
    """Import the models through the project's env.py, compare, and render.

    Raises:
        RefusedError: The models or a revision do not import.
        DatabaseError: The database did not answer.
    """
    comparison = _Comparison(source)
    config = make_config(source.layout, comparison)
    scripts = load_scripts(config)
    now = datetime.now(UTC)
    pages = Pages(source.layout, scripts, head=source.head, created_at=now)
    comparison.revisions = _revision_context(config, pages, source)
    if not source.is_empty:
        _run_env(config, scripts, comparison)
    found = comparison.findings
    text = "" if found.questions else next(comparison.revisions.generate_scripts())
    return Generated(
        source.revision,
        source.token,
        str(text),
        comparison.operations,
        comparison.table_count,
        () if source.is_empty else find_unimported(source.layout),
        scripts.file_template,
        scripts.truncate_slug_length or SLUG_LENGTH,
        now,
        tuple(found.questions),
        tuple(found.notes),
        tuple(sorted(found.left_alone.items())),
        found.unused,
    )


def _revision_context(config: Any, pages: Any, source: Source) -> RevisionContext:
    arguments = dict.fromkeys(("branch_label", "version_path", "depends_on"), None)
    about = {"message": source.token, "rev_id": source.revision, "head": source.head or "base"}
    how = {"autogenerate": not source.is_empty, "sql": False, "splice": False}
    return RevisionContext(config, pages, {**arguments, **about, **how})


def _run_env(config: Any, scripts: Any, comparison: _Comparison) -> None:
    # Alembic would make its version table in an empty database, in order to read it.
    with importing(), EnvironmentContext(config, scripts, fn=comparison.compare, dont_mutate=True):
        try:
            scripts.run_env()
        except DBAPIError as error:
            said = describe(error.orig) if isinstance(error.orig, psycopg2.Error) else str(error).splitlines()[0]
            raise DatabaseError(f"comparing the models: {said}", hint="`invoke status` shows the database") from None


@dataclass
class _Comparison:
    """What `stillroom.env.run` calls in the project's env.py."""

    source: Source
    operations: tuple[Operation, ...] = ()
    table_count: int = 0
    findings: Findings = field(init=False)
    revisions: Any = field(init=False)

    def __post_init__(self) -> None:
        self.findings = Findings(self.source.answers)

    def _options(self, metadata: Any, options: dict[str, Any]) -> dict[str, Any]:
        return configure_options(options, metadata, findings=self.findings, unmanaged=self.source.unmanaged)

    def run(self, context: Any, metadata: Any, options: dict[str, Any]) -> None:
        """Give Alembic a connection that only reads."""
        parts = metadata if isinstance(metadata, list | tuple) else [metadata]
        self.table_count = sum(len(part.tables) for part in parts if part is not None)
        if not self.table_count:
            return
        with closing(connect(self.source.url, command="make-migration")) as raw:
            engine = make_engine(raw, Attempt(self.source.lock_timeout_ms, search_path=self.source.search_path))
            raw.set_session(readonly=True)
            with engine.connect() as connection:
                context.configure(connection=connection, target_metadata=metadata, **self._options(metadata, options))
                with context.begin_transaction():
                    context.run_migrations()

    def compare(self, revision: Any, migration: Any) -> list[Any]:
        """Be the function Alembic calls in the place of steps: compare, and run nothing."""
        self.revisions.run_autogenerate(revision, migration)
        found = flatten(self.revisions.generated_revisions[-1].upgrade_ops)
        self.operations = tuple(
            describe_operation(each) for each in found if not isinstance(each, CreateEnumOp | UnansweredOp)
        )
        return []
