"""What a rehearsal leaves on a server that others use, and what is said when it is killed from outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.commands.support import HEAD, answer, current, database_of, finish, launch, query, until, write_revision
from tests.commands.test_rehearse import AFTER, NEXT, all_databases, all_running
from tests.faults.killing import children_of, shoot
from tests.servers import Project

DYNAMIC = 'op.execute("""do $$ begin execute \'cre\' || \'ate role {}\'; exception when duplicate_object then null; end $$""")'


@pytest.fixture
def role(migrated: Project) -> Iterator[str]:
    """The name of a role that is not there, and will not be afterwards."""
    name = f"made_{database_of(migrated).name}"
    yield name
    query(migrated, f"drop role if exists {name}, {name}_2")


@pytest.mark.parametrize("task", ["rehearse", "backup-then-migrate"])
@pytest.mark.parametrize("then", ["pass", "op.execute('select 1 / 0')"], ids=["works", "fails"])
def test_a_role_that_dynamic_sql_leaves_is_named_with_what_drops_it(
    migrated: Project, role: str, task: str, then: str
) -> None:
    """F106: the plan reaches past the copy, and its role would be in the way of the real run."""
    write_revision(migrated, NEXT, DYNAMIC.format(role))
    write_revision(migrated, AFTER, then, down=NEXT)

    done = migrated.invoke(task)

    assert done.code == 6, done.stderr
    assert f"it made the role {role} on the server, which others use, and left it there" in done.stderr
    assert f'`DROP ROLE "{role}";`' in done.stderr
    assert current(migrated) == [HEAD]
    query(migrated, f"drop role {role}")


def test_a_role_that_is_dropped_again_is_not_left(migrated: Project, role: str) -> None:
    drop = DYNAMIC.format(role).replace("'cre' || 'ate", "'dr' || 'op")
    write_revision(migrated, NEXT, f"{DYNAMIC.format(role)}\n{drop}")

    done = migrated.invoke("rehearse")

    assert done.code == 0, done.stderr


def test_a_role_that_somebody_else_makes_meanwhile_is_a_note(migrated: Project, role: str) -> None:
    """As a program does that makes roles for a day; it stays, and stops nothing."""
    write_revision(migrated, NEXT, "op.execute('select pg_sleep(4)')")
    process = launch(migrated, "rehearse", "--json")
    until(lambda: all_running(migrated, "pg_sleep(4)"), within_s=30)

    query(migrated, f"create role {role}")
    code, stdout, stderr = finish(process)

    assert code == 0, stderr
    assert answer(stdout)["result"]["rehearsal"]["new_roles"] == [role]
    assert query(migrated, "select count(*) from pg_roles where rolname = %s", role) == [(1,)]


@pytest.mark.parametrize("task", ["rehearse", "backup-then-migrate"])
def test_a_rehearsal_that_is_killed_says_so_and_not_that_the_revision_is_wrong(migrated: Project, task: str) -> None:
    """F106, K2."""
    write_revision(migrated, NEXT, "op.execute('select pg_sleep(60)')")
    before = all_databases(migrated)
    process = launch(migrated, task)
    until(lambda: all_running(migrated, "pg_sleep(60)"), within_s=30)

    for child in children_of(process.pid):
        shoot(child)
    code, _, stderr = finish(process)

    assert code == 5, stderr
    assert "the process that ran the rehearsal was ended by signal 9" in stderr
    assert "was not touched: it was killed from outside" in stderr
    assert "run the same command again" in stderr
    assert "correct the revision" not in stderr
    assert current(migrated) == [HEAD]
    until(lambda: all_databases(migrated) <= before)
