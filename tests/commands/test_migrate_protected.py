"""What `migrate` and `rollback` refuse on a protected database, and only say elsewhere."""

from __future__ import annotations

import pytest

from tests.commands.ledger.test_verify import edit, file_of
from tests.commands.support import HEAD, TIMEZONE, current, has_table, query, set_mark, write_revision
from tests.servers import Project

FIRST = "aaaa00000001"


def git(project: Project, *words: str) -> None:
    done = project.run("git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words)
    assert done.code == 0, done.stderr


@pytest.fixture
def committed(migrated: Project) -> Project:
    """A database marked production, and a git checkout with all files in it."""
    set_mark(migrated, "production")
    migrated.environment["APP_ENV"] = "production"
    git(migrated, "init", "-q")
    git(migrated, "add", ".")
    git(migrated, "commit", "-qm", "start")
    return migrated


@pytest.mark.parametrize("task", [["migrate"], ["backup-then-migrate"], ["rollback", "--yes"]], ids=" ".join)
def test_an_edited_revision_is_refused_on_a_protected_database(committed: Project, task: list[str]) -> None:
    """F01."""
    write_revision(committed, FIRST, "op.execute('create table first ()')")
    git(committed, "add", ".")
    git(committed, "commit", "-qm", "more")
    edit(committed, TIMEZONE, "length=64", "length=65")

    done = committed.invoke(*task)

    assert done.code == 3
    assert "add_user_timezone.py was edited after it ran" in done.stderr
    assert f"`invoke ledger.accept {TIMEZONE} --reason" in done.stderr
    assert current(committed) == [HEAD]


@pytest.mark.parametrize("words", [["upgrade", "head"], ["downgrade", "-1"]], ids=" ".join)
def test_plain_alembic_refuses_it_too(committed: Project, words: list[str]) -> None:
    edit(committed, TIMEZONE, "length=64", "length=65")

    done = committed.alembic(*words)

    assert done.code != 0
    assert "was edited after it ran" in done.stdout + done.stderr
    assert current(committed) == [HEAD]


@pytest.mark.parametrize("task", [["migrate"], ["rollback", "--yes"]], ids=" ".join)
def test_elsewhere_it_is_said(migrated: Project, task: list[str]) -> None:
    """F01."""
    edit(migrated, TIMEZONE, "length=64", "length=65")

    done = migrated.invoke(*task)

    assert done.code == 0
    assert (
        "note:  migrations/alembic/versions/20260113_1430_abc123def456_add_user_timezone.py was edited after it ran"
        in done.stderr
    )


def test_a_changed_comment_is_said_and_passes(committed: Project) -> None:
    """F02."""
    edit(committed, TIMEZONE, "def upgrade()", "# reviewed\n\n\ndef upgrade()")

    done = committed.invoke("migrate")

    assert done.code == 0, done.stderr
    assert "only comments or layout of an applied revision changed" in done.stderr


def test_a_revision_put_below_an_applied_one_is_refused(committed: Project) -> None:
    """F05."""
    write_revision(committed, FIRST, "op.execute('select 1')", down=TIMEZONE)
    edit(committed, HEAD, f'= "{TIMEZONE}"', f'= "{FIRST}"')

    done = committed.invoke("migrate")

    assert done.code == 3
    assert f"follows {FIRST} now, and followed {TIMEZONE} when it ran" in done.stderr


@pytest.mark.parametrize("state", ["untracked", "staged", "modified", "ignored"])
def test_a_pending_file_that_git_does_not_have_is_refused(committed: Project, state: str) -> None:
    path = write_revision(committed, FIRST, "op.execute('create table first ()')")
    if state == "staged":
        git(committed, "add", path)
    elif state == "modified":
        git(committed, "add", path)
        git(committed, "commit", "-qm", "more")
        edit(committed, FIRST, "create table first ()", "create table first (n int)")
    elif state == "ignored":
        (committed.path / ".git" / "info" / "exclude").write_text("*aaaa*\n")

    done = committed.invoke("migrate")

    assert done.code == 3
    assert f"{path}: not committed as it is, and the database is protected" in done.stderr
    assert f"`git add {path}` and `git commit`" in done.stderr
    assert not has_table(committed, "first")


def test_it_runs_once_it_is_committed_and_where_there_is_no_checkout(committed: Project) -> None:
    path = write_revision(committed, FIRST, "op.execute('create table first ()')")
    git(committed, "add", path)
    git(committed, "commit", "-qm", "more")

    assert committed.invoke("migrate").code == 0

    write_revision(committed, "aaaa00000002", "op.execute('create table second ()')", down=FIRST)
    (committed.path / ".git").rename(committed.path / "not-git")
    assert committed.invoke("migrate").code == 0


def test_an_unprotected_database_takes_what_is_not_committed(migrated: Project) -> None:
    git(migrated, "init", "-q")
    write_revision(migrated, FIRST, "op.execute('create table first ()')")

    assert migrated.invoke("migrate").code == 0


def test_the_file_of_the_applied_head_is_gone(migrated: Project) -> None:
    """F03: the row stays; what is missing is named."""
    file_of(migrated, HEAD).unlink()

    done = migrated.invoke("migrate")

    assert done.code == 3
    assert f"at revision {HEAD}, which has no file here" in done.stderr
    assert current(migrated) == [HEAD]


@pytest.mark.parametrize("way", ["invoke", "alembic"])
def test_a_reset_by_hand_is_entered_and_runs_from_base(migrated: Project, way: str) -> None:
    """The two commands of "Start fresh": psql's, then upgrade head."""
    query(migrated, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;")

    done = migrated.invoke("migrate") if way == "invoke" else migrated.alembic("upgrade", "head")

    assert done.code == 0, done.stderr
    assert f"was at {HEAD} and was emptied by hand; it is built anew from base" in done.stderr
    assert current(migrated) == [HEAD]
    assert ("reset", [HEAD], [], "emptied by hand") in query(
        migrated, "select kind, before, after, reason from stillroom.ledger"
    )
    assert migrated.invoke("ledger.verify").code == 0


def test_production_emptied_by_hand_is_not_built_anew_unasked(committed: Project) -> None:
    query(committed, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;")

    refused = committed.invoke("migrate")
    stamped = committed.invoke("stamp", "base")
    done = committed.invoke("migrate")

    assert refused.code == 3
    assert f"the ledger says that it is at {HEAD}, and there is no table in it" in refused.stderr
    assert "`invoke stamp base`, then `invoke migrate`" in refused.stderr
    assert (stamped.code, done.code) == (0, 0), (stamped.stderr, done.stderr)
    assert current(committed) == [HEAD]
