"""A database that a newer checkout has taken further: told from a foreign one by the ledger."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.commands.support import HEAD, current, query, write_revision
from tests.servers import Project

NEWER = "aaaa00000001"


def older_of(project: Project, folder: Path) -> Project:
    """The same project without its newest revision, on the same database."""
    shutil.copytree(project.path, folder)
    for each in (folder / "migrations" / "alembic" / "versions").glob(f"*{NEWER}*"):
        each.unlink()
    return Project(folder, dict(project.environment), project.database)


@pytest.fixture
def older(migrated: Project, tmp_path: Path) -> Project:
    """A checkout one revision behind the database."""
    write_revision(migrated, NEWER, "op.execute('create table newer ()')")
    assert migrated.invoke("migrate").code == 0
    return older_of(migrated, tmp_path / "older")


def test_ahead_is_refused_with_the_two_ways_to_allow_it(older: Project) -> None:
    """F13."""
    done = older.invoke("migrate")

    assert done.code == 3
    assert (
        f"is at revision {NEWER}, which has no file here: it is ahead of this checkout, whose head is {HEAD}"
        in done.stderr
    )
    assert "`invoke migrate --allow ahead`, or STILLROOM_ALLOW_AHEAD=1" in done.stderr


@pytest.mark.parametrize("way", ["flag", "setting"])
@pytest.mark.parametrize("task", ["migrate", "backup-then-migrate"])
def test_ahead_is_nothing_to_do_where_it_is_allowed(older: Project, task: str, way: str) -> None:
    done = older.invoke(
        task,
        *(["--allow", "ahead"] if way == "flag" else []),
        env={"STILLROOM_ALLOW_AHEAD": "1"} if way == "setting" else {},
    )

    assert done.code == 0, done.stderr
    assert "that is allowed, so there is nothing to do" in done.stderr
    assert done.stdout.endswith(f"nothing to do, at {NEWER}\n")
    assert current(older) == [NEWER]


@pytest.mark.parametrize("how", ["nobody knows it", "it descends from an older revision"])
def test_what_does_not_descend_from_our_head_is_foreign(older: Project, how: str) -> None:
    """F13: allowing "ahead" does not allow that."""
    if how == "nobody knows it":
        query(older, "update alembic_version set version_num = 'ffff00000009'")
    else:
        write_revision(older, "bbbb00000001", "op.execute('select 1')")

    done = older.invoke("migrate", "--allow", "ahead")

    assert done.code == 3
    assert "a newer checkout or another project" in done.stderr


def test_status_says_that_it_is_ahead(older: Project) -> None:
    done = older.invoke("status")

    assert done.code == 0
    assert done.stdout.splitlines()[-1].startswith(f"ahead of this checkout: {NEWER}, applied by ")
