"""The ledger before a run: an applied revision that was edited since, and a database that is ahead of this checkout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from stillroom.commands._database import Project, standing_of
from stillroom.core.guard import Standing, is_allowed
from stillroom.core.ledger.records import Edit, Found, Record, find_edits, is_ahead
from stillroom.core.plan import Plan, plan_upgrade
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.current import Current
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal

SHOWN = 3
EDITED = "migrate or rollback after an edit of an applied revision"
AHEAD = "migrate on a database that is ahead of this checkout"


def require_unedited(work: Work, current: Iterable[str], standing: Standing, terminal: Terminal) -> None:
    """Hold applied revisions against the ledger: an edit is refused where the database is protected, else said.

    Raises:
        RefusedError: Protected, and an applied revision does something else now, or follows another one.
    """
    edits, lets_pass = find_edits_of(work.project, work.records, current), is_allowed(EDITED, standing)
    for each in edits[:SHOWN]:
        if each.kind == "layout" or lets_pass:
            terminal.say(f"note:  {each.text}")
    grave = [each for each in edits if each.kind != "layout"]
    if grave and not lets_pass:
        raise _edited(grave)


def find_edits_of(project: Project, records: Mapping[str, Record], current: Iterable[str]) -> tuple[Edit, ...]:
    """Compare the applied revisions that the ledger knows with their files.

    Raises:
        RefusedError: A file cannot be read.
    """
    from stillroom.edges.scripts import read_bytes

    history, found = project.history, {}
    for revision in history.closure(each for each in current if each in history.revisions):
        record = records.get(revision)
        if record is not None:
            data = read_bytes(project.layout, history.revisions[revision].path)
            found[revision] = hashed(data, record.script)
    return find_edits(records, history, current, found)


def hashed(data: bytes, known: str = "") -> Found:
    """Hash a script; its tree only where the bytes are not the known ones."""
    from stillroom.core.ledger.scripts import hash_script, hash_tree
    from stillroom.core.script_parsing import HeaderError

    script = hash_script(data)
    if script == known:
        return Found(script)
    try:
        return Found(script, hash_tree(data))
    except HeaderError as error:
        return Found(script, f"does not parse: {error}")


def _edited(edits: list[Edit]) -> RefusedError:
    more = f"; and {len(edits) - SHOWN} more" if len(edits) > SHOWN else ""
    message = "; ".join(each.text for each in edits[:SHOWN]) + more
    first = edits[0]
    return RefusedError(
        f"{message}; the database is protected, and nothing was run",
        hint=f'restore the file and write a new revision; if the text is right as it is: `invoke ledger.accept {first.revision} --reason "…"`',
    )


def is_ahead_of_checkout(work: Work, current: tuple[str, ...]) -> bool:
    """Ask whether the ledger proves that a newer checkout has gone on from this one's heads."""
    return is_ahead(work.records, work.project.history, current)


def require_ahead_allowed(work: Work, current: Current, say: Callable[[str], None], allowed: frozenset[str]) -> None:
    """Let a database pass that is ahead of this checkout: an old pod started again, an image rolled back.

    Raises:
        RefusedError: Nobody said that this is normal here.
    """
    unknown = next(each for each in current.revisions if each not in work.project.history.revisions)
    record, heads = work.records[unknown], ", ".join(work.project.history.heads)
    said = (
        f"the database is at revision {unknown}, which has no file here: it is ahead of this checkout, whose head is {heads}, "
        f"since {record.by} applied that, {record.at:%Y-%m-%d %H:%M} UTC"
    )
    named = allowed | ({"ahead"} if work.settings.allow_ahead else frozenset())
    if is_allowed(AHEAD, standing_of(work.settings, work.target, current), named):
        say(f"note:  {said}; that is allowed, so there is nothing to do")
        return
    from stillroom.commands._strangers import find_stranger, hint_for

    stranger = find_stranger(work.settings, work.project, unknown)
    found = stranger.where if stranger.kind else stranger.problem
    beside = f"where this checkout may run beside it: `invoke {work.command} --allow ahead`, or STILLROOM_ALLOW_AHEAD=1"
    raise RefusedError(
        f"{said}{f'; {found}' if found else ''}; nothing was run",
        hint=hint_for(work.settings, work.project, work.target, current, stranger, again=beside),
    )


def plan_upgrade_now(
    work: Work, held: Migrating, say: Callable[[str], None], *, target: str, allowed: frozenset[str]
) -> Plan:
    """Plan again under the lock: a newer checkout may have gone further while we waited.

    Raises:
        RefusedError: It did, and nobody said that this is normal here; or what `plan_upgrade` refuses.
    """
    current = held.current.revisions
    if work.settings.ledger != "off" and not set(current) <= work.project.history.revisions.keys():
        from stillroom.edges.postgres.records import read_records

        work = replace(work, records=read_records(held.connection, held.current.role))
        if is_ahead_of_checkout(work, current):
            require_ahead_allowed(work, held.current, say, allowed)
            return Plan("upgrade", (), current, current)
    return plan_upgrade(work.project.history, current, target)
