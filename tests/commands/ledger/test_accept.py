"""`invoke ledger.accept`: the present text counts from now on, with a reason."""

from __future__ import annotations

import pytest

from tests.commands.ledger.test_verify import edit
from tests.commands.support import HEAD, INITIAL, TIMEZONE, answer, query, set_mark, write_revision
from tests.servers import Project


def test_an_accepted_edit_is_no_problem_any_more(migrated: Project) -> None:
    """F01."""
    edit(migrated, HEAD, "ix_tasks_open_due_at", "ix_tasks_open_due_by")
    set_mark(migrated, "production")

    refused = migrated.invoke("migrate", env={"APP_ENV": "production"})
    done = migrated.invoke(
        "ledger.accept", HEAD, "--reason", "renamed by hand in production", env={"APP_ENV": "production"}
    )
    again = migrated.invoke("migrate", env={"APP_ENV": "production"})

    assert (refused.code, done.code, again.code) == (3, 0, 0), (refused.stderr, done.stderr, again.stderr)
    assert f"`invoke ledger.accept {HEAD} --reason" in refused.stderr
    assert done.stdout.endswith(f": accepted as they are now: {HEAD}\n")
    assert query(migrated, "select kind, outcome, revision, reason from stillroom.ledger order by id desc limit 1") == [
        ("acceptance", "accepted", HEAD, "renamed by hand in production")
    ]
    assert migrated.invoke("ledger.verify").code == 0


def test_all_after_a_codemod_whose_sql_is_unchanged(migrated: Project) -> None:
    """A variable renamed, a helper taken out: another tree, the same statements; the one whose SQL changed is left."""
    edit(migrated, HEAD, "def upgrade()", 'OLD = "due"\n\n\ndef upgrade()')
    edit(migrated, INITIAL, "def upgrade()", "HELPER = 1\n\n\ndef upgrade()")
    edit(migrated, TIMEZONE, "length=64", "length=65")

    done = migrated.invoke("ledger.accept", "--all", "--reason", "a codemod", "--json")

    found = answer(done.stdout)["result"]
    assert done.code == 6
    assert sorted(found["revisions"]) == sorted([HEAD, INITIAL])
    assert found["left"] == [f"{TIMEZONE}: the SQL it compiles to is not what ran"]
    assert migrated.invoke("ledger.verify").stdout.count("problem:") == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([HEAD], 2, "no reason was given"),
        ([HEAD, "--reason", "x"], 3, "is what ran; there is nothing to accept"),
        (["nosuch", "--reason", "x"], 3, "is not in the history"),
        (["aaaa00000001", "--reason", "x"], 3, "revision aaaa00000001 is not applied"),
        ([HEAD, "--all", "--reason", "x"], 1, ""),
    ],
    ids=["no reason", "nothing to accept", "unknown", "not applied", "both"],
)
def test_what_cannot_be_accepted(migrated: Project, words: list[str], code: int, said: str) -> None:
    write_revision(migrated, "aaaa00000001", "op.execute('select 1')")

    done = migrated.invoke("ledger.accept", *words)

    assert done.code == code, done.stderr
    assert said in done.stderr
    assert query(migrated, "select count(*) from stillroom.ledger") == [(6,)]


def test_nothing_to_accept_is_said(migrated: Project) -> None:
    done = migrated.invoke("ledger.accept", "--all", "--reason", "x")

    assert done.code == 0
    assert done.stdout.endswith(": every applied revision is what ran; there is nothing to accept\n")


def test_what_was_stamped_can_be_accepted_so_that_later_edits_are_seen(migrated: Project) -> None:
    query(migrated, "drop table stillroom.ledger")
    migrated.invoke("mark", "--environment", "test", env={"APP_ENV": "test"})

    before = migrated.invoke("ledger.verify", env={"APP_ENV": "test"})
    done = migrated.invoke(
        "ledger.accept", INITIAL, "--reason", "applied before there was a ledger", env={"APP_ENV": "test"}
    )
    edit(migrated, INITIAL, "def upgrade()", "EDITED = 1\n\n\ndef upgrade()")

    assert f"no run of {INITIAL}, {TIMEZONE}, {HEAD} is recorded" in before.stdout
    assert done.code == 0, done.stderr
    assert "was edited after it ran" in migrated.invoke("ledger.verify").stdout
