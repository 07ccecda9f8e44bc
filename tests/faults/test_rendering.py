"""Revisions that misbehave while they are only rendered: one clear line, and nothing was touched."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.commands.support import HEAD, current, interrupt, launch, query, write_revision
from tests.faults.asking import SCRIPT, ask, refusal
from tests.servers import Project

FIRST = "aaaa00000001"
LEAVES = "__import__('os')._exit(0)"
LOOPS = "print('looping', flush=True)\nwhile True: pass"
LEFT = "the process that rendered the revisions left the process with exit code 0"
IMPATIENT = "import stillroom.commands._rendering as rendering\nrendering.LONGEST_S = 4.0\n" + SCRIPT


def test_a_revision_that_ends_the_process_while_it_is_rendered_is_named(migrated: Project) -> None:
    """F63: exit 0 and an empty stdout would be read as done."""
    path = write_revision(migrated, FIRST, LEAVES, downgrade=LEAVES)

    found = ask(migrated, "migrate --plan", "backup-then-migrate --plan")
    query(migrated, "update alembic_version set version_num = %s", FIRST)
    back = ask(migrated, "rollback", "rollback --plan")

    assert {refusal(each) for each in found.values()} == {f"{LEFT}, at upgrade() of {path}; nothing was touched"}
    assert {refusal(each) for each in back.values()} == {f"{LEFT}, at downgrade() of {path}; nothing was touched"}
    assert current(migrated) == [FIRST]


def test_a_revision_that_ends_the_process_on_import_is_no_success(migrated: Project) -> None:
    """F63: at import nobody knows which file it was."""
    path = write_revision(migrated, FIRST, "pass")
    (migrated.path / path).write_text((migrated.path / path).read_text() + f"\n\n{LEAVES}\n")

    found = ask(migrated, "migrate --plan", "rollback")
    query(migrated, "delete from alembic_version")
    adoption = ask(migrated, "migrate")

    said = f"{LEFT}, as the revisions were imported; nothing was touched"
    assert {refusal(each) for each in (found | adoption).values()} == {said}
    assert current(migrated) == []


def test_an_endless_loop_is_stopped_and_named(migrated: Project) -> None:
    """F66: in the plan, the adoption check and the preview of a rollback; what it prints stays off stdout."""
    path = write_revision(migrated, FIRST, LOOPS, downgrade=LOOPS)

    plan = _ask_impatiently(migrated, "migrate --plan")
    query(migrated, "delete from alembic_version")
    adoption = _ask_impatiently(migrated, "migrate")
    query(migrated, "insert into alembic_version values (%s)", FIRST)
    back = _ask_impatiently(migrated, "rollback")

    said = "took over 4 s without a database, so it was stopped; nothing was touched"
    assert refusal(plan) == refusal(adoption) == f"upgrade() of {path} {said}"
    assert refusal(back) == f"downgrade() of {path} {said}"
    assert current(migrated) == [FIRST]


def test_ctrl_c_while_revisions_are_rendered_is_one_line(migrated: Project) -> None:
    """F52: the child is told, and leaves."""
    write_revision(migrated, FIRST, LOOPS)
    process = launch(migrated, "migrate", "--plan")
    assert process.stderr is not None
    assert process.stderr.readline() == "looping\n"

    stopped = interrupt(process)

    assert (stopped.code, stopped.stdout) == (130, "")
    assert stopped.stderr.startswith("error: interrupted while the revisions were rendered; nothing was touched\nhint:")
    assert stopped.seconds < 15, "left alone it would be stopped after 30 s"
    assert current(migrated) == [HEAD]


def test_what_a_revision_raises_or_prints_is_part_of_the_plan(migrated: Project) -> None:
    """F63: KeyboardInterrupt is what a revision raised, and not a key."""
    write_revision(migrated, FIRST, "print('on its way')\nraise KeyboardInterrupt('mine')")

    done = migrated.invoke("migrate", "--plan", "--json")

    assert done.code == 0, done.stderr
    assert "on its way" in done.stderr
    assert json.loads(done.stdout)["result"]["steps"][0]["problem"] == "KeyboardInterrupt: mine"


def _ask_impatiently(project: Project, task: str) -> dict[str, Any]:
    done = project.run(sys.executable, "-c", IMPATIENT, task, timeout=30)
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_a_percent_sign_is_shown_as_it_is_sent(migrated: Project) -> None:
    """The driver's way of writing parameters doubles it; the plan is what the server gets, as `alembic --sql` prints it."""
    write_revision(
        migrated,
        "aaaa00000001",
        """
        op.execute("create table mails (a text default '50%' check (a like '%@%'))")
        op.create_table('more', sa.Column('b', sa.Text, server_default='100%'))
        """,
        downgrade="op.execute(\"delete from mails where a like 'a%'\")",
    )

    plan = migrated.invoke("migrate", "--plan")
    offline = migrated.alembic("upgrade", "head", "--sql")
    migrated.invoke("migrate")
    back = migrated.invoke("rollback", "--plan", "--json")

    assert "%%" not in plan.stdout + offline.stdout + back.stdout
    for part in ("default '50%' check (a like '%@%')", "DEFAULT '100%'"):
        assert part in plan.stdout
        assert part in offline.stdout
    assert "like 'a%'" in back.stdout


def test_a_plan_knows_what_env_py_brings(migrated: Project) -> None:
    """Naming conventions and operations of the project's own: the plan shows what the run does."""
    env = migrated.path / "migrations/alembic/env.py"
    env.write_text(
        """
from alembic.operations import MigrateOperation, Operations

if not hasattr(Operations, "make_pair"):

    @Operations.register_operation("make_pair")
    class MakePair(MigrateOperation):
        @classmethod
        def make_pair(cls, operations):
            return operations.invoke(cls())

    @Operations.implementation_for(MakePair)
    def make_pair(operations, operation):
        operations.execute("create table pair ()")
"""
        + env.read_text().replace("from __future__ import annotations", "")
    )
    body = "op.create_check_constraint('named', 'users', 'email is not null')\nop.make_pair()"
    write_revision(migrated, "aaaa00000001", body)

    plan = migrated.invoke("migrate", "--plan")
    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    ((name,),) = query(migrated, "select conname::text from pg_constraint where conname like '%%named%%'")
    assert name != "named"
    assert f"ADD CONSTRAINT {name} CHECK" in plan.stdout
    assert "create table pair ()" in plan.stdout
