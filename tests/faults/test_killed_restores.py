"""Restores that are killed: one whole database is under the name, the old one or the new one, and the next restore ends well."""

from __future__ import annotations

import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.commands.backing import databases, make_backup
from tests.commands.support import add_user, database_of, query
from tests.counting import Counted
from tests.faults.intact import Before, Content, remember, require_nothing_left, rows_of, sessions
from tests.faults.killing import kill_in, make_several_tables, measure, spread, traced
from tests.faults.outside import until
from tests.faults.test_kills import IN_RESTORE, KILLED_AT, announced_seams
from tests.servers import Project

COMMENT = "the shop's own words"
BY = ("restore", "--latest", "--yes")

BELONGS = """
select shobj_description(oid, 'pg_database'), (select setconfig from pg_db_role_setting where setdatabase = d.oid)
from pg_database d where datname = current_database()
"""


@pytest.fixture
def kept(migrated: Project) -> Iterator[Project]:
    """A project with some rows, a backup of them, and one row that came later."""
    make_several_tables(migrated, tables=3, size_mb=0.5)
    make_backup(migrated)
    add_user(migrated)
    name = database_of(migrated).name
    query(
        migrated, f"comment on database {name} is 'the shop''s own words'; alter database {name} set work_mem = '7MB'"
    )
    yield migrated
    for each in databases(migrated):
        database_of(migrated).server.execute(f'drop database "{each}" with (force)')


def old_and_new(project: Project) -> tuple[Before, Content]:
    """What the live database holds, and what the backup does: the same without the row that came later."""
    before = remember(project)
    new = {name: state for name, state in before.rows.items() if name != "public.users"} | {"public.users": "0 0"}
    return before, new


def require_one_whole(project: Project, before: Before, new: Content) -> bool:
    """Require that a whole database is under the name, which anybody may use; return whether it is the new one."""
    before.require(is_live=False)
    here = rows_of(project)
    assert here in (before.rows, new)
    query(project, "create table anybody (); drop table anybody")
    return here == new


def require_an_end(project: Project, before: Before, new: Content) -> None:
    """Restore once more, undisturbed: the backup is in place, with the database's own, and nothing half is left."""
    until(lambda: not sessions(project), "the server ends the sessions of who was killed")
    known = databases(project)

    done = project.invoke(*BY)

    assert done.code == 0, done.stderr
    assert rows_of(project) == new
    assert query(project, BELONGS) == [(COMMENT, ["work_mem=7MB"])]
    here = databases(project)
    assert not [name for name in here if "_restore_" in name]
    assert len({name for name in here if "_before_" in name} - known) == 1
    require_nothing_left(project, before.databases | here)


@pytest.mark.parametrize("name", [each for each in announced_seams() if each in IN_RESTORE])
def test_killed_at_a_seam_one_whole_database_is_under_the_name(kept: Project, name: str) -> None:
    """F92, F93, K2: also between the two renames, and behind them."""
    before, new = old_and_new(kept)

    killed = kept.run(sys.executable, "-c", KILLED_AT.format(name=name), *BY)

    assert killed.code in {4, -signal.SIGKILL}, (killed.stdout, killed.stderr)
    assert "Traceback" not in killed.stderr
    assert require_one_whole(kept, before, new) == (name == "databases swapped")
    require_an_end(kept, before, new)


def test_killed_at_any_moment_one_whole_database_is_under_the_name(
    kept: Project, rounds: int, counted: Counted
) -> None:
    """F92: pg_restore, our child, our parent or both, at moments from the beginning of pg_restore to behind the swap."""
    tool = traced(kept, "restore")
    lasts = measure(tool, (*BY[:2], "--into", f"{database_of(kept).name}_measured"))
    before, new = old_and_new(kept)
    seed = random.randrange(10**6)
    chance, ended, found = random.Random(seed), Counter[int](), Counter[str]()
    tries = 5 if rounds <= 10 else 10 * rounds

    for moment in spread(chance, tries, 2 * lasts + 0.3):
        whom = chance.choice(["tool", "child", "parent", "both"])
        done = kill_in(tool, BY, moment, whom)
        ended[done.code] += 1
        assert done.code in {0, 4, 5, -9}, (seed, moment, whom, done.stderr)
        assert "Traceback" not in done.stderr
        is_new = require_one_whole(kept, before, new)
        found["new" if is_new else "old"] += 1
        if is_new:
            add_user(kept)
            before, new = old_and_new(kept)

    require_an_end(kept, before, new)
    counted(f"{tries} kills of a restore (seed {seed}): exits {dict(ended)}, under the name {dict(found)}, all whole")
