"""Backups and restores at the same time: exit codes as documented, whole backups, and one whole database under the name."""

from __future__ import annotations

from stillroom.edges.backup_list import read_backups
from tests.commands.backing import databases, folder, make_backup, manifest, names
from tests.commands.support import HEAD, add_user, current, finish, launch, query, write_revision
from tests.counting import Counted
from tests.faults.intact import Before, Content, remember, require_nothing_left, rows_of
from tests.faults.killing import make_several_tables
from tests.servers import Project

FIRST = "aaaa00000001"


def kept(project: Project) -> tuple[Before, Content]:
    """Fill a database, back it up and add a row; return what was there, and what the backup holds."""
    make_several_tables(project, tables=2, size_mb=0.5)
    make_backup(project)
    saved = rows_of(project)
    add_user(project)
    return remember(project), saved


def test_backups_at_once_are_all_whole(migrated: Project, rounds: int, counted: Counted) -> None:
    """F48, F61, F78: each has a name and a number of its own."""
    before, _ = kept(migrated)
    tries = max(rounds // 3, 1)
    for _ in range(tries):
        ended = [finish(each) for each in [launch(migrated, "backup") for _ in range(4)]]
        assert [code for code, _, _ in ended] == [0] * 4, ended

    numbers = [manifest(migrated, name)["sequence"] for name in names(migrated)]
    assert sorted(numbers) == list(range(1, 4 * tries + 2))
    before.require(makes_another=True)
    counted(f"{tries} times four backups at once: {len(numbers)} whole, each with a number of its own")


def test_a_backup_beside_backup_then_migrate_is_of_before_or_of_after(migrated: Project) -> None:
    """F48: never of the middle of a revision."""
    kept(migrated)
    write_revision(
        migrated, FIRST, "op.execute('create table first as select 1 as n')\nop.execute('select pg_sleep(0.3)')"
    )
    whole = launch(migrated, "backup-then-migrate")
    beside = [launch(migrated, "backup", "--verify", "read") for _ in range(2)]
    ended = [finish(each) for each in [whole, *beside]]

    assert [code for code, _, _ in ended] == [0] * 3, ended
    assert current(migrated) == [FIRST]
    good = [each for each in read_backups(folder(migrated)) if not each.problem and each.manifest]
    assert len(good) == 4
    for each in good:
        assert each.manifest is not None
        has_first = any(table.name == "first" for table in each.manifest.rows)
        assert each.manifest.revisions == ((FIRST,) if has_first else (HEAD,))


def test_two_restores_at_once_leave_one_whole_database(migrated: Project, rounds: int, counted: Counted) -> None:
    """F47: the second waits for the first, or ends with a sentence; nothing half is left by either."""
    before, saved = kept(migrated)
    (older,) = names(migrated)
    codes: list[int] = []
    for _ in range(max(rounds // 3, 1)):
        add_user(migrated, f"{len(codes)}@example.com")
        ended = [finish(each) for each in [launch(migrated, "restore", older, "--yes") for _ in range(2)]]
        codes += [code for code, _, _ in ended]
        assert {code for code, _, _ in ended} <= {0, 4, 7}, ended
        assert 0 in {code for code, _, _ in ended}
        assert all("Traceback" not in stderr for _, _, stderr in ended)
        assert rows_of(migrated) == saved
        query(migrated, "create table anybody (); drop table anybody")
    before.require(is_live=False)
    make_backup(migrated, "--verify", "restore")
    here = databases(migrated)
    assert not [name for name in here if "_restore_" in name]
    require_nothing_left(migrated, before.databases | here)
    counted(f"two restores at once: exits {codes}, one whole database under the name")


def test_a_restore_beside_a_backup_ends_well_or_waits(migrated: Project) -> None:
    """F47, F48: the backup is of the old database or of the new one, and whole."""
    _, saved = kept(migrated)
    (older,) = names(migrated)
    backup, restore = launch(migrated, "backup"), launch(migrated, "restore", older, "--yes")
    ended = [finish(backup), finish(restore)]

    assert {code for code, _, _ in ended} <= {0, 4, 5, 7}, ended
    assert ended[1][0] == 0, ended
    assert all("Traceback" not in stderr for _, _, stderr in ended)
    assert rows_of(migrated) == saved
    assert len(names(migrated)) == 1 + (ended[0][0] == 0)
