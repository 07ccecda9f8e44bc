"""`history` and what it marks as applied."""

from __future__ import annotations

import json

from tests.commands.support import HEAD, INITIAL, TIMEZONE, answer, holding_lock, query, write_revision
from tests.servers import Project

LEFT, RIGHT, MERGE = "aaaa00000001", "bbbb00000001", "cccc00000001"


def test_newest_first_with_what_is_applied(migrated: Project) -> None:
    migrated.invoke("rollback")

    done = migrated.invoke("history")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:3] == [
        f"  {HEAD}  index open tasks by due date  (head)",
        f"* {TIMEZONE}  add user timezone",
        f"x {INITIAL}  initial schema  (base)",
    ]
    assert done.stdout.endswith("2 of 3 revisions applied\n")


def test_branches_merges_and_dependencies_are_said(migrated: Project) -> None:
    write_revision(migrated, LEFT, "pass", message="left")
    path = write_revision(migrated, RIGHT, "pass", message="right")
    file = migrated.path / path
    file.write_text(file.read_text().replace("def upgrade", f"depends_on = {LEFT!r}\n\n\ndef upgrade"))
    write_revision(migrated, MERGE, "pass", down=(LEFT, RIGHT), message="both")

    lines = migrated.invoke("history").stdout.splitlines()

    assert lines[0] == f"  {MERGE}  both  (head, merges {LEFT} and {RIGHT})"
    assert f"  {RIGHT}  right  (depends on {LEFT})" in lines


def test_a_current_revision_without_a_file_is_listed(migrated: Project) -> None:
    query(migrated, "update alembic_version set version_num = 'fadedfadedfa'")

    done = migrated.invoke("history")

    assert done.code == 0
    assert "? fadedfadedfa  (current, but no file here)" in done.stdout


def test_no_revisions_at_all(migrated: Project) -> None:
    for file in (migrated.path / "migrations/alembic/versions").glob("*.py"):
        file.unlink()
    query(migrated, "delete from alembic_version")

    done = migrated.invoke("history")

    assert done.code == 0
    assert done.stdout.endswith("0 of 0 revisions applied\n")


def test_nothing_is_locked_imported_or_changed(migrated: Project) -> None:
    write_revision(migrated, LEFT, "pass")
    file = next((migrated.path / "migrations/alembic/versions").glob(f"*{LEFT}*"))
    file.write_text(file.read_text() + "\n\nraise RuntimeError('it was imported')\n")

    with holding_lock(migrated):
        done = migrated.invoke("history")

    assert done.code == 0, done.stderr


def test_the_json(migrated: Project) -> None:
    result = answer(migrated.invoke("history", "--json").stdout)["result"]

    assert [row["id"] for row in result["rows"]] == [HEAD, TIMEZONE, INITIAL]
    assert json.dumps(result["rows"][2]["down"]) == "[]"
    assert [row["is_applied"] for row in result["rows"]] == [True, True, True]
