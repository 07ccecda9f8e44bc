"""Prove a backup that is kept once more, by restoring it: is everything in it what was there then?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import limits_of, reach_database, read_place
from stillroom.errors import InterruptedRunError, ToolError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.backup_list import Backup
    from stillroom.edges.child_body import Voice
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

COMMAND = "backups.verify"


@dataclass(frozen=True)
class ProvenAgain:
    """What came out.

    Args:
        problem: What is wrong; empty when nothing is.
        tool_version: The pg_restore that read it.
        where: Where it was restored, in words.
        notes: What is not as it was, without a loss.
    """

    problem: str
    tool_version: str = ""
    where: str = ""
    notes: tuple[str, ...] = ()


def prove_by_restore(settings: Settings, terminal: Terminal, backup: Backup) -> ProvenAgain:
    """Restore a backup into a scratch database, compare everything, and drop that again.

    Raises:
        NoCopyError: There is no place for a copy.
        DatabaseError: A server failed, or did not answer.
        ToolError: No pg_restore here can read it, or the server lacks what a restore takes: that says nothing about the backup.
        InterruptedRunError: A signal.
    """
    from stillroom.commands._steps import Work
    from stillroom.edges.child import Ended, run_in_child

    target = reach_database(settings, terminal)
    work = Work(settings, read_place(settings), target, limits_of(settings, target), COMMAND)
    outcome = run_in_child(lambda say: _in_child(work, backup, say), terminal, command=COMMAND)
    if isinstance(outcome, Ended):
        raise ToolError(f"the process that restored {outcome.status}", hint="run it again; nothing was changed")
    assert isinstance(outcome, ProvenAgain)
    return outcome


def _in_child(work: Work, backup: Backup, say: Voice) -> ProvenAgain:
    from stillroom.commands._comparing_copy import compare_restored
    from stillroom.commands._copying import archive_of, restored_copy
    from stillroom.core.pg_tools import NoToolsError
    from stillroom.edges.interrupt import Interrupted
    from stillroom.edges.pg_programs import LackError

    manifest = backup.manifest
    assert manifest is not None, "one without a manifest is damaged"
    try:
        archive = archive_of(backup)
        with restored_copy(work, archive, say) as copy:
            compared = compare_restored(work, copy, manifest.rows, archive, say)
    except (NoToolsError, LackError):
        raise
    except ToolError as error:
        return ProvenAgain(
            f"damaged: its files are what was written, and yet it could not be restored: {error.message}"
        )
    except Interrupted:
        raise InterruptedRunError("interrupted; nothing was changed", hint=f"`invoke {COMMAND}` starts anew") from None
    problem = f"damaged: the restored copy is not what was backed up: {compared.told}"
    return ProvenAgain(problem if compared.differences else "", manifest.tool_version, copy.where, compared.notes)
