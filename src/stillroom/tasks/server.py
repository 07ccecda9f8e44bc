"""The embedded PostgreSQL server: `server.start`, `server.stop`, `server.status`, `server.psql`."""

from __future__ import annotations

from typing import Any

from invoke.context import Context
from invoke.tasks import task

from stillroom.cli import Command, enter

FAMILY = "server"


@task(klass=Command, family=FAMILY)
def start(c: Context) -> Any:
    """Start the embedded PostgreSQL server; its data lies in .stillroom/postgres."""
    from stillroom.commands.server.start import start_server

    return start_server(*enter(c))


@task(klass=Command, family=FAMILY)
def stop(c: Context) -> Any:
    """Stop the embedded PostgreSQL server; its data stays."""
    from stillroom.commands.server.stop import stop_server

    return stop_server(*enter(c))


@task(klass=Command, family=FAMILY, only_looks=True)
def status(c: Context) -> Any:
    """Show whether the embedded PostgreSQL server runs, and where its data and its socket lie."""
    from stillroom.commands.server.status import show_server

    return show_server(*enter(c))


@task(klass=Command, family=FAMILY)
def psql(c: Context) -> Any:
    """Open psql on the database that the tasks use."""
    from stillroom.commands.server.psql import open_psql

    return open_psql(*enter(c))


TASKS = (start, stop, status, psql)
