"""What the command tests do to a project and its database."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from stillroom.edges.postgres.lock import lock_key
from tests.servers import Database, Project

INITIAL, TIMEZONE, HEAD = "3f9c1a7be204", "abc123def456", "7d20e85f6b13"
KEY = lock_key("public", "alembic_version")
REVISION = '''"""{message}"""

import sqlalchemy as sa
from alembic import op

revision = {id!r}
down_revision = {down!r}


def upgrade():
{upgrade}


def downgrade():
{downgrade}
'''


def write_revision(
    project: Project,
    id: str,  # noqa: A002
    upgrade: str,
    *,
    down: Any = HEAD,
    downgrade: str = "pass",
    message: str = "a step",
) -> str:
    """Add a revision after head, and return its path in the project."""
    bodies = {
        name: textwrap.indent(textwrap.dedent(text), "    ")
        for name, text in (("upgrade", upgrade), ("downgrade", downgrade))
    }
    path = f"migrations/alembic/versions/20260201_0000_{id}_step.py"
    (project.path / path).write_text(REVISION.format(message=message, id=id, down=down, **bodies))
    return path


def query(project: Project, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement in the project's database and return its rows."""
    with closing(database_of(project).connect()) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall()) if cursor.description else []


def database_of(project: Project) -> Database:
    """The test's database."""
    assert project.database is not None
    return project.database


def current(project: Project) -> list[str]:
    """What the version table holds."""
    return [row[0] for row in query(project, "select version_num from alembic_version order by 1")]


def has_table(project: Project, name: str) -> bool:
    """Whether a name leads to a table."""
    return bool(query(project, "select to_regclass(%s) is not null", name)[0][0])


def add_user(project: Project, email: str = "ada@example.com") -> None:
    """Put one row where a rollback would lose it."""
    query(project, "insert into users (email, display_name) values (%s, 'Ada')", email)


def set_mark(project: Project, environment: str | None) -> None:
    """Change the mark behind the tool's back; None takes it away."""
    query(project, "delete from stillroom.mark")
    if environment:
        query(project, "insert into stillroom.mark (environment) values (%s)", environment)


def answer(text: str) -> dict[str, Any]:
    """Read the one JSON object on stdout."""
    found = json.loads(text)
    assert isinstance(found, dict)
    assert found["stillroom"] == 1
    return found


def launch(
    project: Project,
    *args: str,
    program: str = "invoke",
    env: dict[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> subprocess.Popen[str]:
    """Start a task and do not wait for it; a prefix stands before the command line."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", program, *args],
        cwd=project.path,
        env=project.full_environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # The tests themselves may run under nohup, which children inherit.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509  (no thread runs here)
    )


def finish(process: subprocess.Popen[str], timeout: float = 60) -> tuple[int, str, str]:
    """Wait for the end of a process: its code, stdout and stderr."""
    stdout, stderr = process.communicate(timeout=timeout)
    return process.returncode, stdout, stderr


def until(condition: Callable[[], object], *, within_s: float = 15) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def running(project: Project, fragment: str) -> int:
    """Count the sessions of the database that run a statement with these words right now."""
    found = query(
        project,
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and query like %s",
        f"%{fragment}%",
    )
    return int(found[0][0])


@contextmanager
def holding_lock(project: Project, *, application: str = "the other one") -> Iterator[None]:
    """Hold the migration lock on a session of our own."""
    with closing(database_of(project).connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select set_config('application_name', %s, false), pg_advisory_lock(%s)", (application, KEY))
        yield


@contextmanager
def in_transaction(project: Project, statement: str) -> Iterator[None]:
    """Leave a transaction open that has run a statement, as a forgotten psql does."""
    with closing(database_of(project).connect()) as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(statement)
        yield


@dataclass(frozen=True)
class Stopped:
    """A process that got a signal: how long it took to leave, and what it left."""

    seconds: float
    code: int
    stdout: str
    stderr: str


def interrupt(process: subprocess.Popen[str], number: int = signal.SIGINT) -> Stopped:
    """Send a signal and wait for the end."""
    started = time.monotonic()
    process.send_signal(number)
    process.wait(timeout=20)
    seconds = time.monotonic() - started
    return Stopped(seconds, *finish(process))
