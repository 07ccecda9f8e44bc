"""Models before and after, and the revision between them: made, applied, undone and applied again on a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any

import psycopg2
from alembic.autogenerate import produce_migrations
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _render_cmd_body
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.orm import registry
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from stillroom.core.generation import Answers
from stillroom.edges.alembic.completing.findings import Findings
from stillroom.edges.alembic.hooks import configure_options
from stillroom.edges.postgres.catalog import read_schema
from tests.servers import Database

HEAD = "from alembic import op\nimport sqlalchemy as sa\n"


def models(source: str) -> MetaData:
    """Run a module of models with a registry of its own, and return its metadata."""

    class Base(SQLModel, registry=registry()):
        """Takes the place of SQLModel in the module."""

    names: dict[str, Any] = {"__name__": "models_of_a_test", "SQLModel": Base}
    exec(compile(source, "models", "exec", dont_inherit=True), names)
    return Base.metadata


@dataclass
class Revision:
    """What was generated."""

    upgrade: str
    downgrade: str
    findings: Findings
    imports: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Models and database agree."""
        return self.upgrade.strip().splitlines()[1:-1] == ["pass"]

    def run(self, connection: Connection, direction: str) -> None:
        """Run one direction, as Alembic would."""
        body = self.upgrade if direction == "upgrade" else self.downgrade
        inside = indent(body, "    ")
        text = HEAD + "\n".join(sorted(self.imports)) + f"\n\ndef {direction}():\n{inside}\n"
        names: dict[str, Any] = {}
        exec(compile(text, "revision", "exec", dont_inherit=True), names)
        with environment(connection) as env:
            env.configure(connection=connection, transaction_per_migration=True)
            context = env.get_context()
            with context.begin_transaction(_per_migration=True), Operations.context(context):
                names[direction]()


@contextmanager
def environment(connection: Connection) -> Iterator[EnvironmentContext]:
    """Open what env.py runs in."""
    del connection
    config = Config()
    config.set_main_option("script_location", "migrations/alembic")
    with EnvironmentContext(config, ScriptDirectory("."), fn=lambda *_: []) as env:
        yield env


@contextmanager
def opened(database: Database) -> Iterator[Connection]:
    """Connect through SQLAlchemy."""
    engine = create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(database.url), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def generate(connection: Connection, metadata: MetaData, answers: Answers | None = None, **options: Any) -> Revision:
    """Compare, and render both ways; with questions open there is no text."""
    findings = Findings(answers or Answers())
    unmanaged = options.pop("unmanaged", ())
    with environment(connection) as env:
        chosen = configure_options(dict(options), metadata, findings=findings, unmanaged=unmanaged)
        env.configure(connection=connection, target_metadata=metadata, **chosen)
        context = env.get_context()
        script = produce_migrations(context, metadata)
        connection.rollback()
        if findings.questions:
            return Revision("", "", findings)
        rendering = AutogenContext(context, metadata)
        rendering.imports = set()
        assert script.upgrade_ops is not None
        assert script.downgrade_ops is not None
        texts = [_render_cmd_body(each, rendering) for each in (script.upgrade_ops, script.downgrade_ops)]
    return Revision(texts[0], texts[1], findings, frozenset(rendering.imports))


@dataclass
class Evolution:
    """One change of the models.

    Args:
        before: A module of models.
        after: The same module, changed.
        rows: SQL that fills the tables of `before`.
        answers: What would be asked.
        setup: SQL before anything else.
        options: What the project's env.py says.
    """

    before: str
    after: str
    rows: str = ""
    answers: Answers = field(default_factory=Answers)
    setup: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def catalog(database: Database) -> dict[Any, Any]:
    """Read the whole schema, object by object."""
    with watching(database) as look:
        return look()


@contextmanager
def watching(database: Database) -> Iterator[Callable[[], dict[Any, Any]]]:
    """Read the whole schema as often as it is asked for, on one connection: a new one would plan every query anew."""
    with closing(database.connect()) as connection:

        def look() -> dict[Any, Any]:
            schema = read_schema(connection, version_table="alembic_version")
            return {key: dict(each.facets) for key, each in schema.objects.items()}

        yield look


def begin(database: Database, evolution: Evolution) -> None:
    """Build the tables of `before` by a generated revision, and fill them."""
    execute(database, evolution.setup)
    with opened(database) as connection:
        first = generate(connection, models(evolution.before), **evolution.options)
        assert not first.findings.questions, first.findings.questions
        first.run(connection, "upgrade")
    execute(database, evolution.rows)


def execute(database: Database, statements: str) -> None:
    """Run SQL by hand."""
    if statements.strip():
        with closing(database.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statements)


def evolve(database: Database, evolution: Evolution) -> Revision:
    """Generate the change, run it up, down and up again, and see that nothing is left to do; return the revision.

    The catalog after the way back is the one of before.
    """
    begin(database, evolution)
    after = models(evolution.after)
    with watching(database) as look, opened(database) as connection:
        start = look()
        revision = generate(connection, after, evolution.answers, **evolution.options)
        assert not revision.findings.questions, revision.findings.questions
        assert not revision.is_empty, "nothing was found"
        revision.run(connection, "upgrade")
        again = generate(connection, after, **evolution.options)
        assert again.is_empty, f"found again:\n{again.upgrade}\nafter:\n{revision.upgrade}"
        up = look()
        revision.run(connection, "downgrade")
        assert look() == start, revision.downgrade
        revision.run(connection, "upgrade")
        assert look() == up
    return revision
