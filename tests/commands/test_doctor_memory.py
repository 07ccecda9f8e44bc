"""What doctor reads out of the ledger, the journal and the mark."""

from __future__ import annotations

import pytest

from tests.commands.ledger.test_verify import edit
from tests.commands.support import HEAD, answer, query, set_mark, write_revision
from tests.servers import Project


def found(project: Project, *names: str) -> list[tuple[str, str]]:
    """Run doctor, and return severity and name of these findings."""
    result = answer(project.invoke("doctor", "--json").stdout)["result"]
    return [(each["severity"], each["name"]) for each in result["findings"] if each["name"] in names]


def test_a_whole_ledger_is_well_and_a_changed_one_a_problem(migrated: Project) -> None:
    """S34."""
    assert found(migrated, "ledger", "ledger-changed") == [("ok", "ledger")]

    query(
        migrated,
        "drop trigger only_added_to on stillroom.ledger; update stillroom.ledger set actor = 'nobody' where id = 2",
    )

    assert found(migrated, "ledger", "ledger-changed") == [("problem", "ledger-changed")]


@pytest.mark.parametrize(("mark", "severity"), [("development", "warning"), ("production", "problem")])
def test_an_edited_revision_is_named(migrated: Project, mark: str, severity: str) -> None:
    set_mark(migrated, mark)
    migrated.environment["APP_ENV"] = mark
    edit(migrated, HEAD, "ix_tasks_open_due_at", "ix_tasks_open_due_aT")

    assert found(migrated, "revision-edited") == [(severity, "revision-edited")]


def test_a_ledger_that_is_missing_switched_off_or_a_strangers(migrated: Project) -> None:
    migrated.environment["STILLROOM_LEDGER"] = "off"
    assert found(migrated, "ledger-off", "ledger") == [("info", "ledger-off")]
    del migrated.environment["STILLROOM_LEDGER"]

    query(migrated, "create rule shadow as on insert to stillroom.ledger do also select 1")
    assert found(migrated, "ledger-untrusted", "ledger") == [("warning", "ledger-untrusted")]

    query(migrated, "drop table stillroom.ledger")
    assert found(migrated, "ledger-missing", "ledger") == [("info", "ledger-missing")]


def test_a_step_that_was_cut_short_is_a_problem_with_the_way_on(migrated: Project) -> None:
    write_revision(
        migrated,
        "aaaa00000001",
        "with op.get_context().autocommit_block():\n    op.execute('create table first (n int)')\n    op.execute('select 1 / 0')",
    )
    assert found(migrated, "open-step") == []
    migrated.invoke("migrate")

    done = migrated.invoke("doctor")

    assert done.code == 6
    assert "open-step: aaaa00000001 was cut short in its upgrade" in done.stdout
    assert "with 1 statement done → `invoke migrate` shows them, `invoke migrate --resume` goes on" in done.stdout


def test_what_is_odd_about_the_mark(migrated: Project) -> None:
    names = ("mark-missing", "mark-copied", "mark-contradicted")
    assert found(migrated, *names) == []

    migrated.environment["APP_ENV"] = "test"
    assert found(migrated, *names) == [("warning", "mark-contradicted")]
    del migrated.environment["APP_ENV"]

    query(migrated, "update stillroom.mark set written_in = 3")
    assert found(migrated, *names) == [("info", "mark-copied")]

    set_mark(migrated, None)
    assert found(migrated, *names) == [("info", "mark-missing")]


def test_a_database_ahead_by_the_ledger_is_named_without_git(migrated: Project) -> None:
    path = write_revision(migrated, "aaaa00000001", "op.execute('select 1')")
    migrated.invoke("migrate")
    (migrated.path / path).unlink()

    assert found(migrated, "ahead", "unknown-revision") == [("problem", "ahead")]
