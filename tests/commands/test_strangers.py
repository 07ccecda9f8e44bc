"""A revision in the database that has no file here: found in git, named, and every way out typed as it is printed."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.commands.heads.branches import add_on_branch, begin, commit, git
from tests.commands.support import HEAD, current, has_table, set_mark, write_revision
from tests.faults.asking import ask, refusal
from tests.servers import Project

LOWER, UPPER = "aaaa00000001", "aaaa00000002"
TASKS = ("migrate", "migrate --plan", "rollback", "check", "check --drift", "make-migration -m x")


def make(name: str) -> dict[str, str]:
    """Write both directions of an index: undoing one loses nothing, so that nobody is asked."""
    return {
        "upgrade": f"op.create_index('{name}', 'users', ['display_name'])",
        "downgrade": f"op.drop_index('{name}', 'users')",
    }


@pytest.fixture
def away(migrated: Project) -> Project:
    """The database is two revisions further, on a branch; `main` is checked out."""
    begin(migrated)
    git(migrated, "switch", "-q", "-c", "no tes".replace(" ", "/"))
    write_revision(migrated, LOWER, **make("lower_one"))
    write_revision(migrated, UPPER, **make("upper_one"), down=LOWER)
    commit(migrated, "two", author="Bob")
    assert migrated.invoke("migrate").code == 0
    git(migrated, "switch", "-q", "main")
    return migrated


def path_of(id_: str) -> str:
    """Name the file of a revision."""
    return f"migrations/alembic/versions/20260201_0000_{id_}_step.py"


def typed(project: Project, text: str, begins: str) -> list[str]:
    """Return the commands of one way out, as they are printed."""
    line = next(each for each in text.splitlines() if begins in each)
    return re.findall(r"`([^`]*)`", line)


def type_in(project: Project, command: str) -> None:
    """Type a command line; `invoke` is this environment's."""
    path = f"{Path(sys.executable).parent}:{project.full_environment()['PATH']}"
    done = project.run("bash", "-c", command, env={"PATH": path})
    assert done.code == 0, done.stderr


def test_every_task_names_branch_and_file_and_three_ways_out(away: Project) -> None:
    """F13."""
    found = ask(away, *TASKS, "status")

    for task in TASKS:
        assert refusal(found[task]).startswith(f"the database is at revision {UPPER}, which has no file here: ")
        assert f"branch no/tes has it, in {path_of(UPPER)} (Bob, 20" in refusal(found[task]), task
        assert "`git switch no/tes`" in found[task]["error"]["hint"]
        assert "`invoke reset-dev`" in found[task]["error"]["hint"]
    status = found["status"]["result"]
    assert (status["place"], status["stranger"]["name"]) == ("ahead", "no/tes")
    assert status["stranger"]["files"] == [path_of(UPPER), path_of(LOWER)]


@pytest.mark.parametrize(
    "command", ["upgrade head", "downgrade -1", "stamp head", "current", "check", "revision --autogenerate -m x"]
)
def test_plain_alembic_names_branch_and_file_and_the_ways_out(away: Project, command: str) -> None:
    done = away.alembic(*command.split())

    assert done.code == 255
    said = " ".join((done.stdout + done.stderr).split())
    assert f"the database is at revision {UPPER}, which has no file here: branch no/tes has it" in said
    assert "`git switch no/tes`" in said
    assert "Traceback" not in said
    assert current(away) == [UPPER]


def test_a_slip_of_the_pen_is_told_by_alembic_itself(migrated: Project) -> None:
    done = migrated.alembic("upgrade", "fadedfadedfa")

    assert done.code == 255
    assert "Can't locate revision identified by 'fadedfadedfa'" in done.stdout + done.stderr
    assert "the database is at" not in done.stdout + done.stderr


def test_rolling_back_with_the_files_works_as_it_is_typed_and_leaves_no_trace(away: Project) -> None:
    refused = away.invoke("rollback")

    (way,) = typed(away, refused.stderr, "roll back with it:")
    type_in(away, way)

    assert current(away) == [HEAD]
    assert not has_table(away, "lower_one")
    assert git(away, "status", "--porcelain") == ""
    assert away.invoke("migrate").code == 0


def test_both_ways_to_check_it_out_work_as_they_are_typed(away: Project) -> None:
    switch, alone = typed(away, away.invoke("migrate").stderr, "check it out:")

    type_in(away, switch)
    there = away.invoke("migrate")
    git(away, "switch", "-q", "main")
    type_in(away, alone)
    here = away.invoke("migrate")

    assert (there.code, here.code) == (0, 0), here.stderr
    assert git(away, "branch", "--show-current") == "main"


def test_a_protected_database_is_not_started_anew(away: Project) -> None:
    set_mark(away, "production")

    done = away.invoke("migrate", env={"APP_ENV": "production"})

    assert done.code == 3
    assert "branch no/tes has it" in done.stderr
    assert "roll back with it: `git checkout no/tes -- " in done.stderr
    assert "reset-dev" not in done.stderr


@pytest.mark.parametrize("place", ["remote", "stash", "untracked stash", "lost", "deleted", "draft"])
def test_it_is_found_wherever_git_or_the_folder_still_has_it(migrated: Project, place: str) -> None:
    """F03, F13."""
    begin(migrated)
    path = migrated.path / add_on_branch(migrated, "notes", LOWER, **make("lower_one"))
    git(migrated, "switch", "-q", "notes")
    assert migrated.invoke("migrate").code == 0
    drafted = path.read_text()
    git(migrated, "switch", "-q", "main")
    if place == "remote":
        remote = migrated.path.parent / "remote.git"
        git(migrated, "clone", "-q", "--bare", ".", str(remote))
        git(migrated, "remote", "add", "origin", str(remote))
        git(migrated, "fetch", "-q", "origin")
    elif place == "deleted":
        git(migrated, "merge", "-q", "notes")
        git(migrated, "rm", "-q", "--", str(path))
        commit(migrated, "gone")
    elif place == "draft":
        draft = migrated.path / ".stillroom" / "drafts" / "mine.py"
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(drafted)
    git(migrated, "branch", "-q", "-D", "notes")
    if place not in {"lost", "remote", "deleted"}:
        git(migrated, "reflog", "expire", "--expire=now", "--all")
    if "stash" in place:
        path.write_text(drafted)
        git(migrated, *(["add", "-A"] if place == "stash" else ["status"]))
        git(migrated, "stash", "push", "-q", "--include-untracked")

    done = migrated.invoke("rollback")
    type_in(migrated, typed(migrated, done.stderr, "roll back with it:")[0])

    said = {
        "remote": "branch origin/notes has it, in migrations/",
        "stash": "stash@{0} has it, in migrations/",
        "untracked stash": "stash@{0} has it, in migrations/",
        "lost": ", which no branch holds any more, has it, in migrations/",
        "deleted": " of this branch had it, in migrations/",
        "draft": ".stillroom/drafts/mine.py is its file, which is not among the revisions",
    }
    assert said[place] in done.stderr
    assert current(migrated) == [HEAD]
    assert not has_table(migrated, "lower_one")
    assert git(migrated, "status", "--porcelain") == ""


def test_a_file_whose_name_does_not_hold_the_id_is_found_and_one_that_only_has_the_name_is_not(away: Project) -> None:
    git(away, "switch", "-q", "no/tes")
    git(away, "mv", path_of(UPPER), path_of("renamed"))
    commit(away, "rename")
    git(away, "switch", "-q", "-c", "liar")
    (away.path / path_of(UPPER)).write_text("revision = 'another'\ndown_revision = None\n")
    commit(away, "lie")
    git(away, "switch", "-q", "main")

    done = away.invoke("migrate")

    assert f"branch no/tes has it, in {path_of('renamed')} (" in done.stderr or f"in {path_of(UPPER)} (" in done.stderr
    assert path_of("renamed") in done.stderr
    type_in(away, typed(away, done.stderr, "roll back with it:")[0])
    assert current(away) == [HEAD]


@pytest.mark.parametrize("case", ["no git", "no repository", "another owner", "shallow", "unknown to git"])
def test_what_was_not_looked_through_is_said(away: Project, case: str) -> None:
    project, programs = away, away.path.parent / "bin"
    programs.mkdir()
    if case == "no git":
        project.environment["PATH"] = str(programs)
    elif case == "no repository":
        shutil.rmtree(away.path / ".git")
    elif case == "another owner":
        program = programs / "git"
        program.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {shutil.which("git")} "$@"\n')
        program.chmod(0o755)
        project.environment["PATH"] = str(programs)
    elif case == "shallow":
        folder = away.path.parent / "shallow"
        git(away, "clone", "-q", "--depth", "1", "--branch", "main", f"file://{away.path}", str(folder))
        project = Project(folder, away.environment, away.database)
    else:
        for words in (["branch", "-q", "-D", "no/tes"], ["reflog", "expire", "--expire=now", "--all"]):
            git(away, *words)

    done = project.invoke("check")

    said = {
        "no git": "git is not installed, so only this folder was looked through",
        "no repository": "git knows no repository here, so only this folder was looked through",
        "another owner": "git does not trust the owner of this folder (safe.directory), so only this folder was looked",
        "shallow": "git does not know it, but the clone is shallow: `git fetch --unshallow`",
        "unknown to git": "no branch, stash or lost commit that git knows has it",
    }
    assert done.code == 3
    assert f"which has no file here: a newer checkout or another project; {said[case]}" in done.stderr
    assert "`invoke reset-dev`" in done.stderr
    assert "Traceback" not in done.stderr


def test_names_from_git_are_shown_and_not_obeyed(away: Project) -> None:
    """A branch whose name would turn the line around, and an author with an escape."""
    git(away, "branch", "-q", "-m", "no/tes", "a'b\u202e;c")
    git(away, "switch", "-q", "a'b\u202e;c")
    git(away, "commit", "-q", "--amend", "--no-edit", "--reset-author", author="E\x1b[31mve")
    git(away, "switch", "-q", "main")

    done = away.invoke("rollback")

    assert "\x1b" not in done.stderr
    assert "\u202e" not in done.stderr
    assert "branch a'b\\u202e;c has it" in done.stderr
    assert shlex.split(typed(away, done.stderr, "roll back with it:")[0])[:2] == ["git", "checkout"]
    type_in(away, typed(away, done.stderr, "roll back with it:")[0])
    assert current(away) == [HEAD]


def test_a_project_in_a_folder_of_a_larger_repository(migrated: Project, tmp_path: Path) -> None:
    inner = Project(tmp_path / "whole" / "my service", migrated.environment, migrated.database)
    shutil.copytree(migrated.path, inner.path)
    outer = Project(inner.path.parent)
    git(outer, "init", "-q", "-b", "main")
    commit(outer, "start")
    add_on_branch(inner, "notes", LOWER, **make("lower_one"))
    git(inner, "switch", "-q", "notes")
    assert inner.invoke("migrate").code == 0
    git(inner, "switch", "-q", "main")

    done = inner.invoke("rollback")
    type_in(inner, typed(inner, done.stderr, "roll back with it:")[0])

    assert f"branch notes has it, in {path_of(LOWER)} (Ada, " in done.stderr
    assert current(inner) == [HEAD]
    assert git(outer, "status", "--porcelain", "--untracked-files=no") == ""
