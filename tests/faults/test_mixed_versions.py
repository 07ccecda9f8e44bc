"""A deploy in which old and new pods start at once."""

from __future__ import annotations

from pathlib import Path

from tests.commands.support import current, finish, holding_lock, launch, query, write_revision
from tests.commands.test_migrate_ahead import NEWER, older_of
from tests.counting import Counted
from tests.servers import Project


def test_eight_pods_of_mixed_versions(migrated: Project, tmp_path: Path, rounds: int, counted: Counted) -> None:
    """F13: old and new pods start at once, in any order; each is done or ahead, the new step runs once."""
    write_revision(
        migrated,
        NEWER,
        "op.execute('create table if not exists newer (n int)')\nop.execute('insert into newer values (1)')",
        downgrade="op.execute('drop table newer')",
    )
    older = older_of(migrated, tmp_path / "older")
    older.environment["STILLROOM_ALLOW_AHEAD"] = "1"
    rounds = rounds if rounds > 10 else 1
    for _ in range(rounds):
        with holding_lock(migrated):
            pods = [launch(each, "migrate") for each in [migrated, older] * 4]
        ended = [finish(each) for each in pods]
        late = finish(launch(older, "migrate"))

        assert [code for code, _, _ in [*ended, late]] == [0] * 9, ended
        assert "that is allowed, so there is nothing to do" in late[2]
        assert current(migrated) == [NEWER]
        assert query(migrated, "select count(*) from newer") == [(1,)]
        assert migrated.invoke("rollback", "--yes").code == 0
    counted(f"8 pods of two versions: {rounds} rounds, 0 failures")
