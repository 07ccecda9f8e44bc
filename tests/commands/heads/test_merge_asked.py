"""`heads.merge` in a real terminal: at most one question, and only where something can be chosen."""

from __future__ import annotations

import re

from tests.acceptance.reviewing import finish, start
from tests.commands.heads.branches import LEFT, RIGHT
from tests.commands.revisions import files
from tests.commands.support import HEAD, write_revision
from tests.servers import Project

WAYS = f"2 heads after {HEAD}: a [m]erge revision, "
BOTH = re.escape(f"{WAYS}[1] put {LEFT} after {RIGHT}, [2] put {RIGHT} after {LEFT} [m]? ")
ONE = re.escape(f"{WAYS}[1] put {LEFT} after {RIGHT} [m]? ")


def fork(project: Project) -> None:
    """Fork the history after head."""
    for id_ in (LEFT, RIGHT):
        write_revision(project, id_, f"op.create_table('t_{id_}')")


def test_the_sides_that_may_be_moved_are_offered_and_the_answer_is_done(migrated: Project) -> None:
    fork(migrated)
    before = files(migrated)

    child = start(migrated, task="heads.merge")
    child.expect(BOTH)
    shown = child.before.replace("\r\n", "\n")
    child.sendline("3")
    child.expect(BOTH)
    child.sendline("2")
    code, rest = finish(child)

    assert code == 0, rest
    assert f"{LEFT}:\n  {LEFT}  a step  (20" in shown
    assert f"{RIGHT} follows {LEFT} now, and followed {HEAD}" in rest
    assert files(migrated) == before


def test_a_side_that_is_applied_is_not_offered_and_enter_means_a_merge_revision(migrated: Project) -> None:
    fork(migrated)
    assert migrated.invoke("migrate", "--target", RIGHT).code == 0
    before = files(migrated)

    child = start(migrated, task="heads.merge")
    child.expect(ONE)
    shown = child.before
    child.sendline("")
    code, rest = finish(child)

    assert code == 0, rest
    assert f"note:  {RIGHT} stays where it is: {RIGHT} is applied on " in shown
    assert len(files(migrated)) == len(before) + 1


def test_an_ended_input_and_ctrl_c_write_nothing(migrated: Project) -> None:
    fork(migrated)
    before = [each.read_bytes() for each in files(migrated)]

    ended = start(migrated, task="heads.merge")
    ended.expect(BOTH)
    ended.sendeof()
    code, rest = finish(ended)
    stopped = start(migrated, task="heads.merge")
    stopped.expect(BOTH)
    stopped.sendintr()

    assert (code, finish(stopped)[0]) == (3, 130)
    assert f"`invoke heads.merge -m merge` writes a merge revision, `invoke heads.merge --reparent {LEFT}` puts" in rest
    assert [each.read_bytes() for each in files(migrated)] == before


def test_without_a_choice_there_is_no_question(migrated: Project) -> None:
    """Both sides are applied; and a message says that a merge revision is meant."""
    fork(migrated)
    assert migrated.invoke("migrate", "--target", "heads").code == 0

    code, rest = finish(start(migrated, task="heads.merge"))

    assert code == 0, rest
    assert "]? " not in rest
    assert "one head now: " in rest
