"""Odd places to run in: containers without a home, a user or a writable disk, pipes that are closed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.forwarding import forwarded
from tests.commands.support import HEAD, current, database_of, query
from tests.servers import Database, Project, copy_project

NOBODY = 54_321
# Root keeps its own uid, which the server's socket knows.
MOUNTING = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
HAS_NAMESPACES = shutil.which("unshare") is not None and not subprocess.call(
    [*MOUNTING, "unshare", "--user", "true"], stderr=subprocess.DEVNULL
)


@pytest.mark.skipif(
    not HAS_NAMESPACES, reason="needs namespaces of its own: Linux, and a kernel that lets us make them"
)
def test_a_uid_without_a_passwd_entry_and_without_home_migrates(project_on_database: Project) -> None:
    """F60."""
    stranger = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", sys.executable, "-m", "invoke"]

    with forwarded(database_of(project_on_database)) as url:
        env = {"HOME": "/nonexistent", "DATABASE_URL": url}
        done = project_on_database.run(*stranger, "migrate", env=env)
        again = project_on_database.run(*stranger, "status", env=env)

    assert done.code == 0, done.stderr
    assert again.stdout.endswith("at head, nothing pending\n")
    assert current(project_on_database) == [HEAD]


@pytest.mark.skipif(
    not HAS_NAMESPACES, reason="needs namespaces of its own: Linux, and a kernel that lets us make them"
)
def test_a_read_only_file_system_is_no_obstacle(project_on_database: Project) -> None:
    script = 'mount --bind "$PWD" "$PWD" && mount -o remount,ro,bind "$PWD" && cd "$PWD" && ! touch probe 2>/dev/null && exec "$0" -m invoke migrate'

    done = project_on_database.run(*MOUNTING, "bash", "-c", script, sys.executable)

    assert done.code == 0, done.stderr
    assert current(project_on_database) == [HEAD]


def test_neither_home_nor_git_is_needed(project_on_database: Project, tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "DATABASE_URL": project_on_database.environment["DATABASE_URL"]}
    args = [sys.executable, "-m", "invoke"]

    done = [
        subprocess.run(
            [*args, *task],
            cwd=project_on_database.path,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        for task in (["migrate"], ["rollback"], ["status"], ["check", "--heads"])
    ]

    assert [each.returncode for each in done] == [0, 0, 0, 0], [each.stderr for each in done]


def test_status_without_git_names_the_unknown_revision(project_on_database: Project, tmp_path: Path) -> None:
    project_on_database.invoke("migrate")
    query(project_on_database, "update alembic_version set version_num = 'fadedfadedfa'")

    done = project_on_database.invoke("status", env={"PATH": str(tmp_path)})

    assert done.code == 0, done.stderr
    assert "foreign: fadedfadedfa" in done.stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-", ">/dev/full"])
def test_a_closed_or_full_stream_does_not_stop_a_migration(project_on_database: Project, closed: str) -> None:
    """F56, K15: the database is at head, and what could not be written is said where that is possible."""
    done = project_on_database.run("bash", "-c", f'"$0" -m invoke migrate {closed}', sys.executable)

    assert done.code == 0, done.stderr
    assert current(project_on_database) == [HEAD]
    if ">&-" in closed.split() or "full" in closed:
        assert ("the result could not be written to stdout" in done.stderr) == ("2>&-" not in closed)


def test_a_reader_that_leaves_early_does_not_stop_a_migration(project_on_database: Project) -> None:
    """F56, K15."""
    done = project_on_database.run("bash", "-c", 'set -o pipefail; "$0" -m invoke migrate | true', sys.executable)

    assert done.code == 0, done.stderr
    assert current(project_on_database) == [HEAD]


@pytest.mark.parametrize("name", ["with blank", "100%", "ümläut", "semi;colon", "quo'te"])
def test_odd_folder_names_are_no_obstacle(tmp_path: Path, database: Database, name: str) -> None:
    project = copy_project(tmp_path / name / "project")
    project.database = database
    project.environment["DATABASE_URL"] = database.url

    done = project.invoke("migrate")

    assert done.code == 0, done.stderr
    assert current(project) == [HEAD]


@pytest.mark.parametrize("locale", ["C", "POSIX", "xx_XX.UTF-8"])
def test_the_locale_does_not_matter(project_on_database: Project, locale: str) -> None:
    """F60."""
    done = project_on_database.invoke("migrate", env={"LANG": locale, "LC_ALL": locale})

    assert done.code == 0, done.stderr


def test_a_missing_secret_never_means_the_embedded_server(project: Project) -> None:
    blank = project.invoke("migrate", env={"DATABASE_URL": ""})
    in_production = project.invoke("migrate", env={"APP_ENV": "production"})
    in_kubernetes = project.invoke("migrate", env={"KUBERNETES_SERVICE_HOST": "10.0.0.1"})

    assert [each.code for each in (blank, in_production, in_kubernetes)] == [2, 2, 2]
    assert not (project.path / ".stillroom").exists()
