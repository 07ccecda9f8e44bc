"""`invoke ledger.verify`: what does not agree is named, and ends with 6."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.support import HEAD, INITIAL, TIMEZONE, answer, query, write_revision
from tests.servers import Project


def file_of(project: Project, revision: str) -> Path:
    (found,) = (project.path / "migrations" / "alembic" / "versions").glob(f"*_{revision}_*.py")
    return found


def edit(project: Project, revision: str, old: str, new: str) -> None:
    path = file_of(project, revision)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_all_agree(migrated: Project) -> None:
    done = migrated.invoke("ledger.verify")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.endswith(": ledger, version table and scripts agree (6 rows, 3 applied revisions compared)\n")


def test_an_edited_revision_is_named_with_both_hashes(migrated: Project) -> None:
    """F01: one character in its SQL."""
    was = query(migrated, "select left(script, 12) from stillroom.ledger where revision = %s", HEAD)[0][0]
    edit(migrated, HEAD, "ix_tasks_open_due_at", "ix_tasks_open_due_aT")

    done = migrated.invoke("ledger.verify")

    assert done.code == 6
    assert f"{HEAD}_index_open_tasks_by_due_date.py was edited after it ran" in done.stdout
    assert f"it ran as sha256 {was}, and is " in done.stdout


def test_a_comment_is_no_edit(migrated: Project) -> None:
    """F02."""
    edit(migrated, HEAD, "def upgrade()", "# why not\n\n\ndef upgrade()")

    done = migrated.invoke("ledger.verify")

    assert done.code == 0
    assert "only comments or layout of an applied revision changed" in done.stdout


def test_a_revision_put_below_an_applied_one_is_named(migrated: Project) -> None:
    """F05: it would never run."""
    write_revision(migrated, "aaaa00000001", "op.execute('select 1')", down=INITIAL)
    edit(
        migrated,
        TIMEZONE,
        f'down_revision: str | Sequence[str] | None = "{INITIAL}"',
        'down_revision: str | Sequence[str] | None = "aaaa00000001"',
    )

    done = migrated.invoke("ledger.verify")

    assert done.code == 6
    assert f"follows aaaa00000001 now, and followed {INITIAL} when it ran" in done.stdout


def test_a_row_that_was_changed_is_named(migrated: Project) -> None:
    """S34: by somebody who took the trigger away first."""
    query(
        migrated,
        "drop trigger only_added_to on stillroom.ledger; update stillroom.ledger set actor = 'nobody' where id = 3",
    )

    done = migrated.invoke("ledger.verify")

    assert done.code == 6
    assert "row 3 of stillroom.ledger was changed, or one before it was taken away" in done.stdout


def test_a_version_table_that_something_else_wrote_is_named(migrated: Project) -> None:
    query(migrated, "update alembic_version set version_num = %s", TIMEZONE)

    done = migrated.invoke("ledger.verify")

    assert done.code == 6
    assert f"the version table holds {TIMEZONE}, and the last run left it at {HEAD}" in done.stdout


def test_without_a_ledger_the_answer_is_no(migrated: Project) -> None:
    query(migrated, "drop table stillroom.ledger")

    done = migrated.invoke("ledger.verify", "--json")

    assert done.code == 6
    assert answer(done.stdout)["result"]["missing"] == "there is no ledger: the first `invoke migrate` makes it"


@pytest.mark.parametrize("task", ["ledger", "ledger.verify"])
def test_it_only_reads(migrated: Project, task: str) -> None:
    """F05 to F14: no revision is imported."""
    edit(migrated, HEAD, "def upgrade()", "raise SystemExit(3)\n\n\ndef upgrade()")

    done = migrated.invoke(task)

    assert done.code == (6 if task == "ledger.verify" else 0)
    assert query(migrated, "select count(*) from stillroom.ledger") == [(6,)]
