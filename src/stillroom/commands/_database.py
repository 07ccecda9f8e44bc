"""What every command needs first: the project's files, the database they are about, and where it stands."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stillroom.core.guard import Standing
from stillroom.core.history import History
from stillroom.core.layout import Layout
from stillroom.core.limits import ABSENT_WAIT_S, Limits
from stillroom.edges.scripts import read_history, read_layout
from stillroom.errors import RefusedError, SettingsError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.urls import DatabaseUrl
    from stillroom.edges.postgres.current import Current
    from stillroom.edges.postgres.lock import Holder
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Project:
    """The files of the project, read and not imported.

    Args:
        layout: Where they are.
        history: The revisions; none for a task that does not ask for them.
    """

    layout: Layout
    history: History = field(default_factory=lambda: History({}))


@dataclass(frozen=True)
class Target:
    """The database that the command is about."""

    url: DatabaseUrl
    is_embedded: bool

    @property
    def shown(self) -> str:
        """Name it in one phrase, without secrets."""
        return f"{self.url.name} on the embedded server" if self.is_embedded else self.url.shown


def read_project(settings: Settings, *, imports: bool = True) -> Project:
    """Read alembic.ini, env.py and the revisions.

    Args:
        settings: Where the project is.
        imports: Let Alembic run files whose id is no literal; a task that only looks runs nobody's code.

    Raises:
        SettingsError: A file of the project is missing.
        RefusedError: A revision cannot be read, or only by running it, or the graph is not sound.
    """
    layout = read_layout(settings.root)
    history = read_history(layout)
    if history.unread and not imports:
        raise RefusedError(
            f"{history.unread[0]}: its id or a parent's is no plain string, and this task runs no revision to find out",
            hint="write both as plain strings",
        )
    if history.unread:
        # An id that is no literal: only running the file tells what it is.
        from stillroom.edges.alembic.history import read_history as read_history_with_alembic

        history = read_history_with_alembic(layout)
    return Project(layout, history)


def read_place(settings: Settings) -> Project:
    """Read alembic.ini and env.py alone: a backup, a restore and the mark shall not fail because of a revision.

    Raises:
        SettingsError: A file of the project is missing.
        RefusedError: env.py does not call `stillroom.env.run`.
    """
    return Project(read_layout(settings.root))


def reach_database(settings: Settings, terminal: Terminal) -> Target:
    """Find the database to migrate; start the embedded server when it is the one that is meant.

    Raises:
        SettingsError: The embedded server is meant and cannot run here.
        ToolError: It did not start.
    """
    if settings.migrating_url is not None:
        return Target(settings.migrating_url, is_embedded=False)
    from stillroom.edges.embedded import EmbeddedServer, find_binaries

    binaries = find_binaries(settings.pg_bin)
    server = EmbeddedServer(settings.embedded_home, binaries=binaries, environment=settings.child_environment)
    if server.start() == "started":
        data = server.data.relative_to(settings.root) if server.data.is_relative_to(settings.root) else server.data
        terminal.say(f"started the embedded PostgreSQL {binaries.version}; its data lies in {data}")
    return Target(server.url, is_embedded=True)


def look(target: Target, project: Project, settings: Settings, *, command: str, only_looks: bool = False) -> Current:
    """Read where the database stands, on a connection of its own.

    Args:
        target: The database.
        project: Names the version table.
        settings: Name the search path.
        command: The task.
        only_looks: Nothing will be written; then the version table may be another role's.

    Raises:
        DatabaseError: The server did not answer, or refused.
    """
    from stillroom.edges.postgres.connect import connect

    with closing(connect(target.url, command=command)) as connection:
        return look_on(connection, target, project, settings, only_looks=only_looks)


def look_on(
    connection: Connection, target: Target, project: Project, settings: Settings, *, only_looks: bool = False
) -> Current:
    """Read where the database stands, on a connection that is open.

    Raises:
        DatabaseError: The server refused.
    """
    from stillroom.edges.postgres.current import read_current

    return read_current(
        connection,
        version_table=project.layout.version_table,
        version_table_schema=project.layout.version_table_schema,
        search_path=search_path_of(settings, target),
        only_looks=only_looks,
    )


def standing_of(settings: Settings, target: Target, current: Current, terminal: Terminal | None = None) -> Standing:
    """Put together what is known about the danger; a mark that contradicts APP_ENV is said."""
    standing = Standing(current.mark, settings.environment, target.is_embedded)
    if terminal is not None and standing.is_contradicted and not target.is_embedded:
        terminal.say(f"note:  {current.database} {standing.why.removeprefix('it ')}; that protects it")
    return standing


def find_holders(connection: Connection, layout: Layout, schema: str) -> tuple[Holder, ...]:
    """Find the sessions that hold the migration lock.

    Args:
        connection: To the database.
        layout: Names the version table.
        schema: Where that is, unless the layout says it.

    Raises:
        DatabaseError: The server refused.
    """
    from stillroom.edges.postgres.lock import lock_key, read_holders

    return read_holders(connection, lock_key(layout.version_table_schema or schema, layout.version_table))


def search_path_of(settings: Settings, target: Target) -> str | None:
    """Choose the search path: STILLROOM_SEARCH_PATH, then `?schema=` of the URL, else the server's own."""
    return settings.search_path or target.url.search_path


def limits_of(settings: Settings, target: Target, wait_s: str = "") -> Limits:
    """Gather the bounds of a run.

    Args:
        wait_s: The flag's text, in seconds; empty for the setting's value.

    Raises:
        SettingsError: The flag is no number of seconds.
    """
    longest = read_seconds(wait_s, settings.wait_s)
    return Limits(
        wait_s=longest,
        absent_wait_s=longest if wait_s or settings.says("STILLROOM_WAIT_S") else min(longest, ABSENT_WAIT_S),
        lock_timeout_ms=settings.lock_timeout_ms,
        statement_timeout_ms=settings.statement_timeout_ms,
        lock_tries=settings.lock_tries,
        search_path=search_path_of(settings, target),
        pooler=settings.pooler,
    )


def read_seconds(text: str, default: float) -> float:
    """Read `--wait-s`.

    Raises:
        SettingsError: It is no number from 0 to 86400.
    """
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise SettingsError(
            f"--wait-s is {text!r}, not a number of seconds from 0 to 86400", hint="for instance `--wait-s 60`"
        )
    return seconds
