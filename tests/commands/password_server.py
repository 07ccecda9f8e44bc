"""A server that listens on TCP and asks for a password, as those of other people do."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2
import psycopg2.extensions

from stillroom.edges.embedded import Binaries
from stillroom.edges.embedded.account import server_account
from stillroom.edges.embedded.programs import prepare_programs
from tests.servers import Server

SUPERUSER_PASSWORD = "only the tests know it"


@dataclass(frozen=True)
class PasswordServer:
    """Where it is."""

    port: int

    def connect(self) -> psycopg2.extensions.connection:
        """Open an autocommit connection as the superuser."""
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user="postgres", password=SUPERUSER_PASSWORD, dbname="postgres"
        )
        connection.autocommit = True
        return connection

    def make(self, password: str) -> str:
        """Make a role and its database, and return the URL."""
        name = f"app_{uuid.uuid4().hex[:12]}"
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"create role {name} login createdb password %s", (password,))
            cursor.execute(f"create database {name} owner {name}")
        return f"postgresql://{name}:{quote(password, safe='')}@127.0.0.1:{self.port}/{name}"


def free_port() -> int:
    """Find a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def password_server(like: Server) -> Iterator[PasswordServer]:
    """Run one with the programs of another server, as the user that one runs as."""
    account, port = server_account(), free_port()
    environment = dict(os.environ) | {"LD_LIBRARY_PATH": str(like.bin.parent / "lib")}
    programs = prepare_programs(Binaries(like.bin, "the tests"), account, environment)
    folder = Path(tempfile.mkdtemp(prefix="stillroom-password-"))
    try:
        (folder / "password").write_text(SUPERUSER_PASSWORD + "\n")
        for path in (folder, folder / "password"):
            os.chown(path, account.uid, account.gid)
        data = str(folder / "data")
        flags = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--username=postgres", "--no-sync"]
        made = programs.run("initdb", f"--pgdata={data}", "--encoding=UTF8", "--locale=C", *flags)
        assert made.returncode == 0, made.stderr
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
        log = str(folder / "log")
        started = programs.run("pg_ctl", f"--pgdata={data}", "-w", f"--log={log}", f"--options={options}", "start")
        assert started.returncode == 0, Path(log).read_text()
        yield PasswordServer(port)
        programs.run("pg_ctl", f"--pgdata={data}", "-w", "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
