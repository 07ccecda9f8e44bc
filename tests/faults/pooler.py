"""K6: a real PgBouncer in front of a server of the tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg2
import psycopg2.extensions

from stillroom.edges.embedded.account import server_account
from tests.faults.outside import free_port, require_program, stepping_down, until
from tests.faults.own_server import give
from tests.servers import Database, Server

CONFIGURATION = """
[databases]
* = host={server.socket} port={server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
admin_users = {server.superuser}
pool_mode = {mode}
default_pool_size = {size}
server_reset_query = {reset}
max_client_conn = 200
"""

REFUSED = (
    "error: {name}: a connection pooler stands between; locks and settings would not hold\n"
    "hint:  set MIGRATION_DATABASE_URL to the server itself (STILLROOM_POOLER=session accepts a session pooler)\n"
)
LOCKS = """select count(*) from pg_locks where locktype = 'advisory'
           and database = (select oid from pg_database where datname = current_database())"""
# What libpq itself sends at the start of each session.
OF_LIBPQ = {"application_name", "client_encoding"}


@dataclass(frozen=True)
class Pooler:
    """A running pooler.

    Args:
        port: Where it listens on 127.0.0.1.
        superuser: Who comes through it.
        size: How many server connections each database has.
    """

    port: int
    superuser: str
    size: int

    def url(self, database: str) -> str:
        """The address of a database through it."""
        return f"postgresql://{self.superuser}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str) -> psycopg2.extensions.connection:
        """Open an autocommit connection through it."""
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=self.superuser, dbname=database)
        connection.autocommit = True
        return connection


@contextmanager
def pooler(
    server: Server, mode: Literal["transaction", "session"], *, size: int, resets: bool = True
) -> Iterator[Pooler]:
    """Run a pooler as long as the block lasts.

    Args:
        server: What stands behind it.
        mode: What a server connection is lent for.
        size: How many server connections each database has.
        resets: Wipe a session before the next client gets it, as PgBouncer does in session mode unless it is told not to.
    """
    reset = "DISCARD ALL" if resets else ""
    program = require_program("pgbouncer", package="pgbouncer")
    account, port = server_account(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="stillroom-pooler-"))
    users, configuration = folder / "users", folder / "pgbouncer.ini"
    users.write_text(f'"{server.superuser}" ""\n')
    words = {"server": server, "port": port, "users": users, "mode": mode, "size": size, "reset": reset}
    configuration.write_text(CONFIGURATION.format(**words))
    for path in (folder, users, configuration):
        give(path, account)  # PgBouncer does not run as root
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*stepping_down(account), program, str(configuration)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        until(lambda: _listens(process, port, folder / "log"), "PgBouncer starts")
        yield Pooler(port, server.superuser, size)
    finally:
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def _listens(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def left_behind(pooler: Pooler, database: Database) -> tuple[set[str], int]:
    """What the sessions of the pool have set, over all its server connections, and the advisory locks of the database."""
    # The locks first: the pooler ends a server connection whose client leaves in a transaction, and its locks with it.
    with closing(database.connect()) as direct, direct.cursor() as cursor:
        cursor.execute(LOCKS)
        (locks,) = cursor.fetchone() or (0,)
    with ExitStack() as stack:
        found = [_settings_of_one(stack, pooler, database) for _ in range(pooler.size)]
    return {name for each in found for name in each} - OF_LIBPQ, locks


def _settings_of_one(stack: ExitStack, pooler: Pooler, database: Database) -> list[str]:
    """Hold one of the pool's server connections until the stack unwinds, and read what its session has set."""
    connection = stack.enter_context(closing(pooler.connect(database.name)))
    connection.autocommit = False
    stack.callback(connection.rollback)
    with connection.cursor() as cursor:
        cursor.execute("select name from pg_settings where source = 'session'")
        return [name for (name,) in cursor.fetchall()]
