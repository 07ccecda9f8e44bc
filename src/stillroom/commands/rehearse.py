"""`invoke rehearse`: run what is pending on a copy, and tell what it costs and whether it can be undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stillroom.commands._pending import require_whole_files
from stillroom.commands._rehearsal_copies import copied, drop_left_copies, empty_copy, ended_rehearsal, with_search_path
from stillroom.commands._restore_checks import require_good
from stillroom.commands._steps import Work, prepare_upgrade
from stillroom.core.limits import longest_silence_s
from stillroom.core.plan import HEAD, Plan, plan_upgrade
from stillroom.errors import RefusedError, SettingsError

if TYPE_CHECKING:
    from stillroom.commands._copying import Copy
    from stillroom.core.rehearsal import Rehearsal
    from stillroom.edges.backup_list import Backup
    from stillroom.edges.child_body import Voice
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Rehearsed:
    """What is pending, and what it costs on a copy.

    Args:
        database: The one that it is pending for; nothing of it was touched.
        plan: What was run on the copy.
        rehearsal: None when nothing is pending.
    """

    database: str
    plan: Plan
    rehearsal: Rehearsal | None


def rehearse_database(
    settings: Settings,
    terminal: Terminal,
    *,
    target: str = HEAD,
    backup: str = "",
    without_data: bool = False,
    shows_data: bool = False,
    wait_s: str = "",
) -> Rehearsed:
    """Run what is pending up to target on a copy of the database, which is only read.

    Args:
        settings: Where the database is, and the timeouts.
        terminal: Told the progress.
        target: A revision id, "head" (the only one) or "heads" (all of them).
        backup: The name of a backup to copy from; empty for a fresh copy.
        without_data: Build the history in an empty database instead.
        shows_data: Let errors show rows and parameters.
        wait_s: Longest wait for the server in seconds, as typed; empty for the setting.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: What `migrate` refuses, no place for a copy, or an effect on the whole of a shared server.
        AnswerNoError: A revision fails on the copy.
        DatabaseError: A server failed, or did not answer.
        ToolError: The copy could not be made.
        InterruptedRunError: Ctrl-C or a signal; the copy is dropped.
    """
    if backup and without_data:
        raise SettingsError("--from and --without-data are two copies", hint="leave one of them out")
    work, _, plan = prepare_upgrade(
        settings, terminal, command="rehearse", target=target, wait_s=wait_s, skips_open=True
    )
    work = replace(work, shows_data=shows_data)
    kept = _find(settings, backup) if backup else None
    if kept is not None and kept.manifest is not None:
        plan = plan_upgrade(work.project.history, kept.manifest.revisions, target)
    if not plan.steps:
        return Rehearsed(work.target.shown, plan, None)
    require_whole_files(work.project, plan)
    if without_data:
        with empty_copy(work, terminal, plan.starts_at) as (there, copy):
            rehearsal = _in_child(work, terminal, lambda say: _rehearse(there, copy, plan, say))
    else:
        work = with_search_path(work)
        rehearsal = _in_child(work, terminal, lambda say: _rehearse_copy(work, kept, plan, target, say))
    return Rehearsed(work.target.shown, plan, rehearsal)


def _find(settings: Settings, name: str) -> Backup:
    try:
        return require_good(settings.backup_dir, name)
    except RefusedError as error:
        hint = error.hint.replace("invoke restore ", "invoke rehearse --from ")
        raise RefusedError(error.message, hint=hint) from None


def _rehearse_copy(work: Work, kept: Backup | None, plan: Plan, target: str, say: Voice) -> Rehearsal:
    with copied(work, kept, say) as (copy, revisions):
        if revisions != plan.starts_at:
            plan = plan_upgrade(work.project.history, revisions, target)
        return _rehearse(work, copy, plan, say)


def _rehearse(work: Work, copy: Copy, plan: Plan, say: Voice) -> Rehearsal:
    from stillroom.commands._rehearsing import rehearse_plan

    say(f"rehearsing on {copy.where}")
    return rehearse_plan(work, copy, plan, say)


def _in_child(work: Work, terminal: Terminal, body: Callable[[Voice], Rehearsal]) -> Rehearsal:
    """Rehearse in a child: a revision may leave the process, or hang.

    Raises:
        AnswerNoError: It failed.
        ToolError: It was killed.
    """
    from stillroom.core.rehearsal import Rehearsal
    from stillroom.edges.child import Ended, run_in_child

    if work.settings.ledger != "off":
        _ = work.facts  # git is asked here, before the lock
    silence_s = longest_silence_s(work.limits)
    outcome = run_in_child(body, terminal, command=work.command, longest_silence_s=silence_s)
    if isinstance(outcome, Ended):
        drop_left_copies(work, terminal.say)
        raise ended_rehearsal(outcome, f"{work.target.shown} was not touched")
    assert isinstance(outcome, Rehearsal)
    return outcome
