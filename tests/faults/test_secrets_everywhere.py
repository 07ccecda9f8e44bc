"""S01, S02, S03: a password of any kind reaches the server, and is seen nowhere else, whatever goes wrong."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.backing import names
from tests.commands.password_server import PasswordServer, free_port, password_server
from tests.commands.support import HEAD, write_revision
from tests.faults.secrets import AWKWARD, NAMES, Watch, leaks, password, watched
from tests.servers import Finished, Project, Server

WORST = password("'\"\\ $${}%@:/#?&+[]ü✓")


@pytest.fixture(scope="module")
def guarded(server: Server) -> Iterator[PasswordServer]:
    """A server on TCP that asks for a password by SCRAM."""
    with password_server(server) as running:
        yield running


@pytest.fixture
def secretive(project: Project) -> Project:
    """A project that gets its URL from `.env`, so that no environment holds it; its temporary files lie beside it."""
    private = project.path.parent / "tmp"
    private.mkdir()
    project.environment |= {"TMPDIR": str(private), "APP_ENV": "development", "STILLROOM_WAIT_S": "5"}
    return project


def write_url(project: Project, url: str) -> None:
    (project.path / ".env").write_text(f"DATABASE_URL='{url}'\n")


def left(project: Project) -> list[str]:
    return [each.name for each in (project.path.parent / "tmp").iterdir()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each of the 19 in the long form; in the short one the seven that programs read in different ways."""
    if metafunc.function is test_every_awkward_password_works_in_all_programs_and_is_seen_nowhere:
        is_long = metafunc.config.getoption("--fault-rounds") == "long"
        chosen = [each for each in zip(AWKWARD, NAMES, strict=True) if is_long or each[0] in "%@:#'\\✓"]
        metafunc.parametrize("characters", [each[0] for each in chosen], ids=[each[1] for each in chosen])


def test_every_awkward_password_works_in_all_programs_and_is_seen_nowhere(
    secretive: Project, guarded: PasswordServer, characters: str
) -> None:
    """F19, S01, S02: Alembic, psycopg2, pg_dump and pg_restore in one process."""
    write_url(secretive, guarded.make(password(characters)))
    watch = Watch()

    done = watched(secretive, watch, "migrate", "backup")

    assert done.code == 0, done.stderr
    assert "restored into a scratch database on the same server and compared" in done.stdout
    assert leaks(secretive, watch, done) == []
    assert left(secretive) == []


def slow_tools(project: Project, server: Server, *, dump: str = "") -> None:
    """K11: programs in the place of PostgreSQL's that take long enough to be looked at."""
    folder = project.path.parent / "tools"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        real = shlex.quote(str(server.bin / name))
        probe = f'case "$*" in *--version*|*--format=custom*) exec {real} "$@";; esac'
        body = dump if name == "pg_dump" else ""
        (folder / name).write_text(f'#!/bin/sh\n{probe}\nsleep 0.1\n{body}\nexec {real} "$@"\n')
        (folder / name).chmod(0o755)
    with (project.path / ".env").open("a") as file:
        file.write(f"STILLROOM_PG_BIN={folder}\n")


def test_no_task_shows_the_password(secretive: Project, guarded: PasswordServer, server: Server) -> None:
    """S01, S02, S03: every task that touches the database or the settings, as text and as JSON, and plain alembic."""
    write_url(secretive, guarded.make(WORST))
    slow_tools(secretive, server)
    watch = Watch()

    def run(*tasks: str, program: str = "invoke", stdin: str = "") -> Finished:
        done = watched(secretive, watch, *tasks, program=program, stdin=stdin)
        assert done.code == 0, (tasks, done.stderr)
        return done

    said = [
        run("config", "migrate", "--plan", "migrate", "status", "history", "heads", "check", "mark"),
        run("backup", "backups", "rollback", "--plan", "rollback", "--yes", "backup-then-migrate"),
        run("restore", "--yes", names(secretive)[0], "stamp", HEAD, "make-migration", "--empty", "-m", "by hand"),
        run("reset-dev", "--yes", "server.psql", stdin="select current_user"),
        run("config", "--json", "migrate", "--json", "status", "--json", "check", "--json", "backup", "--json"),
        run("current", program="alembic"),
    ]

    assert {"pg_dump", "pg_restore"} <= watch.programs
    assert leaks(secretive, watch, *said) == []
    assert left(secretive) == []


RAISES = "from stillroom.settings import load\nraise RuntimeError(load().url_for('psycopg2'))"
ENDINGS = [
    # What goes wrong, the exit code, what is said.
    ("wrong password", 4, "password authentication failed"),
    ("server down", 4, "Connection refused"),
    ("failing revision", 4, "RuntimeError: postgresql+psycopg2://"),
    ("failing revision, as JSON", 4, '"ok": false'),
    ("failing revision, plain alembic", 1, "RuntimeError: postgresql+psycopg2://"),
    ("wrong password, plain alembic", 255, "password authentication failed"),
    ("revision that does not import", 3, "RuntimeError: postgresql+psycopg2://"),
    ("talking pg_dump", 5, "pg_dump (exit 1): *:*:*:*:***"),
    ("unknown flag", 1, "--nope"),
    ("pooler's URL of another database", 2, "names the database"),
]


def go_wrong(project: Project, guarded: PasswordServer, server: Server, how: str) -> list[str]:
    """Make a run fail in one way, and return the task to run."""
    url = guarded.make(WORST)
    write_url(project, url)
    if how.startswith("wrong password"):
        write_url(project, url.replace("%E2%9C%93", "%E2%9C%94"))
    elif how == "server down":
        write_url(project, url.replace(f":{guarded.port}/", f":{free_port()}/"))
    elif how.startswith("failing revision"):
        write_revision(project, "000000000001", RAISES)
    elif how == "revision that does not import":
        path = project.path / write_revision(project, "000000000001", "pass")
        path.write_text(path.read_text() + RAISES + "\n")
    elif how == "talking pg_dump":
        slow_tools(project, server, dump='cat "$PGPASSFILE" >&2; exit 1')
        return ["backup"]
    elif how == "unknown flag":
        return ["migrate", "--nope"]
    elif how == "pooler's URL of another database":
        with (project.path / ".env").open("a") as file:
            file.write(f"MIGRATION_DATABASE_URL='{url}_other'\n")
    return ["migrate", "--json"] if "JSON" in how else ["upgrade", "head"] if "alembic" in how else ["migrate"]


@pytest.mark.parametrize(("how", "code", "said"), ENDINGS, ids=[each[0] for each in ENDINGS])
def test_no_failure_shows_the_password(
    secretive: Project, guarded: PasswordServer, server: Server, how: str, code: int, said: str
) -> None:
    """S01, S02, S03, F67: whoever says it, libpq, a revision, or a program that prints its password file."""
    task = go_wrong(secretive, guarded, server, how)
    watch = Watch()

    done = watched(secretive, watch, *task, program="alembic" if "alembic" in how else "invoke")

    assert done.code == code, done.stderr
    assert said in done.stderr + done.stdout
    assert leaks(secretive, watch, done) == []
    assert left(secretive) == []


def test_a_bug_shows_a_traceback_without_the_password_and_leaves_no_core_file(
    secretive: Project, guarded: PasswordServer
) -> None:
    """S03, S35: the last resort is the hook for what nobody caught; core files are switched off for children as well."""
    write_url(secretive, guarded.make(WORST))
    with (secretive.path / "tasks.py").open("a") as file:
        file.write(BUG)
    watch = Watch()

    done = watched(secretive, watch, "boom")

    assert done.code == 1
    assert "Traceback" in done.stderr
    assert "RuntimeError: postgresql+psycopg2://" in done.stderr
    assert "core 0 0" in done.stderr
    assert leaks(secretive, watch, done) == []


BUG = """
from invoke.tasks import task
from stillroom.cli import Command, enter

@task(klass=Command)
def boom(c):
    import subprocess
    settings, _ = enter(c)
    limits = subprocess.run(["sh", "-c", "ulimit -Sc; ulimit -Hc"], capture_output=True, text=True).stdout.split()
    raise RuntimeError(settings.url_for("psycopg2") + " core " + " ".join(limits))

ns.add_task(boom)
"""


@pytest.mark.parametrize("characters", ["@", "/", "#", "?", "%"])
def test_an_ambiguous_password_is_refused_with_the_place_and_nothing_of_it(
    secretive: Project, tmp_path: Path, characters: str
) -> None:
    """F20: `tests/core/test_urls_refused.py` has every position; here nothing is said by anybody else either."""
    write_url(secretive, f"postgresql://app:{password(characters)}@127.0.0.1:1/shop")
    watch = Watch()

    done = watched(secretive, watch, "status")

    assert done.code == 2
    assert "must be percent-encoded" in done.stderr
    assert leaks(secretive, watch, done) == []
