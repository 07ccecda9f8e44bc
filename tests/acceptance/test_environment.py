"""Odd places to run in: containers without a home, a user or a writable disk, pipes that are closed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.support import HEAD, current, query
from tests.servers import Database, Project, copy_project

IS_ROOT = os.geteuid() == 0
NOBODY = 54_321


@pytest.fixture
def open_project(database: Database) -> Iterator[Project]:
    """A project in a folder that other users may read, on a database."""
    folder = Path("/tmp") / f"stillroom-open-{database.name}"
    project = copy_project(folder / "project")
    project.database = database
    project.environment |= {"DATABASE_URL": database.url, "PYTHONDONTWRITEBYTECODE": "1"}
    yield project
    shutil.rmtree(folder)


def as_stranger(project: Project, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a task as a uid that has no entry in the passwd file."""
    return subprocess.run(
        [sys.executable, "-m", "invoke", *args],
        cwd=project.path, env={**project.full_environment(), **env}, user=NOBODY, group=NOBODY, extra_groups=[],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.skipif(not IS_ROOT, reason="only root can become somebody else")
def test_a_uid_without_a_passwd_entry_home_or_write_access_migrates(open_project: Project) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}

    done = as_stranger(open_project, "migrate", **environment)
    again = as_stranger(open_project, "status", **environment)

    assert done.returncode == 0, done.stderr
    assert again.stdout.endswith("at head, nothing pending\n")
    assert current(open_project) == [HEAD]


@pytest.mark.skipif(not IS_ROOT, reason="needs a mount of its own")
def test_a_read_only_file_system_is_no_obstacle(open_project: Project) -> None:
    script = 'mount --bind "$PWD" "$PWD" && mount -o remount,ro,bind "$PWD" && cd "$PWD" && ! touch probe 2>/dev/null && exec "$0" -m invoke migrate'

    done = open_project.run("unshare", "--mount", "bash", "-c", script, sys.executable)

    assert done.code == 0, done.stderr
    assert current(open_project) == [HEAD]


def test_neither_home_nor_git_is_needed(project_on_database: Project, tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "DATABASE_URL": project_on_database.environment["DATABASE_URL"]}
    args = [sys.executable, "-m", "invoke"]

    done = [
        subprocess.run([*args, *task], cwd=project_on_database.path, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
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
    done = project_on_database.run("bash", "-c", f'"$0" -m invoke migrate {closed}', sys.executable)

    assert done.code == 0, done.stderr
    assert current(project_on_database) == [HEAD]
    if ">&-" in closed.split() or "full" in closed:
        assert ("the result could not be written to stdout" in done.stderr) == ("2>&-" not in closed)


def test_a_reader_that_leaves_early_does_not_stop_a_migration(project_on_database: Project) -> None:
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
    done = project_on_database.invoke("migrate", env={"LANG": locale, "LC_ALL": locale})

    assert done.code == 0, done.stderr


def test_a_missing_secret_never_means_the_embedded_server(project: Project) -> None:
    blank = project.invoke("migrate", env={"DATABASE_URL": ""})
    in_production = project.invoke("migrate", env={"APP_ENV": "production"})
    in_kubernetes = project.invoke("migrate", env={"KUBERNETES_SERVICE_HOST": "10.0.0.1"})

    assert [each.code for each in (blank, in_production, in_kubernetes)] == [2, 2, 2]
    assert not (project.path / ".stillroom").exists()
