"""Settings of the project's own (`app.tenant`), which only a superuser may give to a database: a copy has them all the same."""

from __future__ import annotations

import pytest

from tests.commands.backing import make_backup
from tests.commands.support import HEAD, current, database_of, query, write_revision
from tests.commands.test_restore_failures import as_role
from tests.servers import Project

TENANT = 'o\'hara \\ "sons"  and\tco'


@pytest.fixture
def owned(migrated: Project) -> Project:
    """A project whose role is no superuser, in a database with settings of its own that its rows are checked against."""
    database = database_of(migrated)
    query(migrated, f"alter database {database.name} set app.tenant = %s", TENANT)
    query(migrated, f"alter database {database.name} set app.empty = ''")
    query(
        migrated,
        """create table bills (tenant text default current_setting('app.tenant') check (tenant = current_setting('app.tenant')),
           note text default current_setting('app.empty') check (note = current_setting('app.empty')))""",
    )
    query(migrated, "insert into bills values (%s, '')", TENANT)
    as_role(migrated, options="createdb", owns=True)
    return migrated


def test_a_copy_is_filled_with_the_settings_that_the_role_may_not_give_it(owned: Project) -> None:
    """F98: the proof, a rehearsal on it, and a restore, whose note says which setting is missing."""
    write_revision(owned, "aaaa00000001", "op.execute('insert into bills default values')")

    name = make_backup(owned, "--verify", "restore")
    rehearsed = owned.invoke("rehearse")
    restored = owned.invoke("restore", name, "--yes")

    assert rehearsed.code == 0, rehearsed.stderr
    assert "owners and grants" not in rehearsed.stderr
    assert restored.code == 0, restored.stderr
    assert current(owned) == [HEAD]
    assert "note:  the setting app.tenant: permission denied" in restored.stdout
    assert query(owned, "select tenant, note from bills") == [(TENANT, "")]
