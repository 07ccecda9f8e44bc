"""`backup` and `restore`: the password reaches the server, and nobody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.backing import folder, make_backup, names, tools_instead
from tests.commands.password_server import PasswordServer, password_server
from tests.servers import Project, Server

PASSWORDS = [
    pytest.param("plain", id="plain"),
    pytest.param("a:b\\c d%20e@f/g#h?i&j=k", id="what URLs and password files escape"),
    pytest.param("'\"`$(touch x);|<>!*~ ", id="what shells read"),
    pytest.param("пароль-密碼-é", id="other scripts"),
]


@pytest.fixture(scope="module")
def guarded(server: Server) -> Iterator[PasswordServer]:
    """A server that asks for a password."""
    with password_server(server) as running:
        yield running


def spied(project: Project, seen: Path) -> None:
    """Write down the arguments and the environment of every pg_dump and pg_restore, then run the real one."""
    look = f'{{ env; tr "\\0" "\\n" < /proc/$$/cmdline; }} >> "{seen}"'
    tools_instead(project, dump=look, restore=look)


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_of_any_kind_is_used_and_shown_nowhere(
    project_on_database: Project, guarded: PasswordServer, password: str, tmp_path: Path
) -> None:
    """S01, S02, F19."""
    project, seen, private = project_on_database, tmp_path / "seen", tmp_path / "private"
    private.mkdir()
    secret = f"S3CRET{password}S3CRET"
    spied(project, seen)
    project.environment |= {
        "DATABASE_URL": guarded.make(secret), "APP_ENV": "development", "TMPDIR": str(private), "SECRET_KEY": "S3CRET",
    }  # fmt: skip
    assert project.invoke("migrate").code == 0

    backup = project.invoke("backup")
    restore = project.invoke("restore", names(project)[0], "--yes")

    assert backup.code == 0, backup.stderr
    assert restore.code == 0, restore.stderr
    written = [each.read_bytes() for each in folder(project).rglob("*") if each.is_file()]
    told = "".join([seen.read_text("utf-8"), backup.stdout, backup.stderr, restore.stdout, restore.stderr])
    assert "PGPASSFILE" in told
    assert "S3CRET" not in told
    assert not any(b"S3CRET" in each for each in written)
    assert list(private.iterdir()) == []


def test_nothing_but_an_allow_list_reaches_the_tools(project_on_database: Project, tmp_path: Path) -> None:
    """S02."""
    project, seen = project_on_database, tmp_path / "seen"
    spied(project, seen)
    project.environment |= {"AWS_SECRET_ACCESS_KEY": "x", "PGPASSWORD": "x", "PGOPTIONS": "-c work_mem=1MB"}

    make_backup(project)

    given = {line.partition("=")[0] for line in seen.read_text().splitlines() if "=" in line}
    assert not given & {"DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "PGSERVICE"}
    assert {"PGHOST", "PGUSER", "PGDATABASE", "PGAPPNAME", "LC_ALL"} <= given


def test_a_wrong_password_is_one_sentence_and_leaves_nothing(
    project_on_database: Project, guarded: PasswordServer
) -> None:
    """S03."""
    url = guarded.make("right").replace(":right@", ":S3CRET@")

    done = project_on_database.invoke("backup", env={"DATABASE_URL": url})

    assert done.code == 4
    assert "password authentication failed" in done.stderr
    assert "S3CRET" not in done.stdout + done.stderr
    assert not folder(project_on_database).exists()


def test_a_password_file_that_the_environment_names_reaches_the_tools_too(
    project_on_database: Project, guarded: PasswordServer, tmp_path: Path
) -> None:
    """S02: libpq reads PGPASSFILE by itself for our connections; pg_dump gets nothing but what we give it."""
    project, file = project_on_database, tmp_path / "passfile"
    url = guarded.make("S3CRET")
    file.write_text("*:*:*:*:S3CRET\n")
    file.chmod(0o600)
    project.environment |= {
        "DATABASE_URL": url.replace(":S3CRET@", "@"),
        "PGPASSFILE": os.path.relpath(file, project.path),
    }
    assert project.invoke("migrate").code == 0

    done = project.invoke("backup")

    assert done.code == 0, done.stderr


def test_a_backup_leaves_no_private_folder_behind(
    project_on_database: Project, guarded: PasswordServer, tmp_path: Path
) -> None:
    project, private = project_on_database, tmp_path / "private"
    private.mkdir()
    project.environment |= {"DATABASE_URL": guarded.make("S3CRET"), "TMPDIR": str(private)}
    tools_instead(project, dump=f'ls -d "{private}"/stillroom-tools-*/passfile > "{tmp_path}/there"')

    make_backup(project)

    assert (tmp_path / "there").read_text().strip().endswith("/passfile")
    assert list(private.iterdir()) == []
