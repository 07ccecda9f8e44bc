"""`invoke backups.prune`: delete what the rule lets go, after the ones that stay were found whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stillroom.commands._kept_backups import find_problem, read_published
from stillroom.core.retention import Candidate, Verdict, plan_retention
from stillroom.edges.backup_locks import claimed
from stillroom.edges.backup_notes import PIN, read_note
from stillroom.edges.backup_trash import empty_trash, pruning, throw_away

if TYPE_CHECKING:
    from pathlib import Path

    from stillroom.edges.backup_list import Backup
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class GoneBackup:
    """One that was deleted, or would be."""

    name: str
    size_bytes: int


@dataclass(frozen=True)
class KeptBackup:
    """One that stays, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Pruned:
    """What went and what stayed.

    Args:
        folder: The backup folder.
        is_plan: Nothing was deleted.
        gone: Newest first.
        kept: Newest first, database by database.
        compared: How many of the kept ones were compared with their SHA-256.
        undeleted: Folders that are out of the list and could not be deleted.
    """

    folder: Path
    is_plan: bool
    gone: tuple[GoneBackup, ...]
    kept: tuple[KeptBackup, ...]
    compared: int
    undeleted: tuple[Path, ...] = ()

    @property
    def exit_code(self) -> int:
        """5 when something could not be deleted."""
        return 5 if self.undeleted else 0


@dataclass
class _Decision:
    """What is known of the backups by now."""

    candidates: dict[str, Candidate]
    compared: set[str]
    verdicts: tuple[Verdict, ...] = ()


def prune_backups(settings: Settings, terminal: Terminal, *, plan_only: bool = False) -> Pruned:
    """Delete the backups that the rule lets go; nothing else in stillroom deletes one.

    Args:
        settings: Where they are, how many stay, and for how many days.
        terminal: Told which one is compared.
        plan_only: Delete nothing.

    Raises:
        ToolError: The folder cannot be read or written.
    """
    folder = settings.backup_dir
    if not folder.exists():
        return Pruned(folder, plan_only, (), (), 0)
    if plan_only:
        found = read_published(folder)
        return _report(folder, found, _decide(settings, terminal, found), is_plan=True)
    with pruning(folder):
        found = read_published(folder)
        decision = _decide(settings, terminal, found)
        stayed = throw_away(folder, [each.name for each in decision.verdicts if each.goes])
        pruned = _report(folder, found, decision, is_plan=False, stayed=stayed)
        return replace(pruned, undeleted=empty_trash(folder))


def _decide(settings: Settings, terminal: Terminal, found: Iterable[Backup]) -> _Decision:
    """Apply the rule again and again, until every backup that it counts on was found whole, and none that goes is read.

    Where nothing would go, nothing is compared.
    """
    backups, now = {each.name: each for each in found}, datetime.now(UTC)
    decision = _Decision({name: _candidate(each) for name, each in backups.items()}, set())
    is_settled = False
    while not is_settled:
        decision.verdicts = plan_retention(
            decision.candidates.values(), keep=settings.backup_keep, keep_days=settings.backup_keep_days, now=now
        )
        is_settled = not _find_out_more(decision, backups, terminal)
    return decision


def _find_out_more(decision: _Decision, backups: dict[str, Backup], terminal: Terminal) -> bool:
    """Look closer at what the verdicts rest on; return whether that changes what they rest on."""
    known = decision.candidates
    shrinking = {known[each.name].database for each in decision.verdicts if each.goes}
    for each in decision.verdicts:
        candidate = known[each.name]
        if each.counts and candidate.database in shrinking and each.name not in decision.compared:
            terminal.say(f"comparing {each.name} with its SHA-256")
            decision.compared.add(each.name)
            problem = find_problem(backups[each.name])
            if problem:
                known[each.name] = replace(candidate, problem=problem)
                return True
        if each.goes:
            with claimed(backups[each.name].path) as is_free:
                if not is_free:
                    known[each.name] = replace(candidate, is_in_use=True)
                    return True
    return False


def _candidate(backup: Backup) -> Candidate:
    manifest = backup.manifest
    if manifest is None:
        return Candidate(backup.name, "", 0, backup.changed_at, problem=backup.problem)
    # Whoever was connected: it is the same database.
    place = manifest.server.rpartition(" as ")[0] or manifest.server
    return Candidate(
        name=backup.name,
        # A partial one stands for no whole one: each kind is counted for itself.
        database=f"{manifest.database}\n{place}\n{manifest.lacks}",
        sequence=manifest.sequence,
        created_at=manifest.created_at,
        is_verified=bool(manifest.verified),
        problem=backup.problem,
        is_pinned=read_note(backup.path, PIN) is not None,
        is_snapshot=bool(manifest.snapshot),
    )


def _report(
    folder: Path, found: Iterable[Backup], decision: _Decision, *, is_plan: bool, stayed: dict[str, str] | None = None
) -> Pruned:
    late = stayed or {}
    sizes = {each.name: each.manifest.size_bytes if each.manifest else 0 for each in found}
    gone = tuple(GoneBackup(each.name, sizes[each.name]) for each in decision.verdicts if _goes(each, late))
    kept = tuple(
        KeptBackup(each.name, late.get(each.name, each.why)) for each in decision.verdicts if not _goes(each, late)
    )
    return Pruned(folder, is_plan, gone, kept, len(decision.compared))


def _goes(verdict: Verdict, late: dict[str, str]) -> bool:
    return verdict.goes and verdict.name not in late
