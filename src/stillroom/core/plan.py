"""Which revisions would run: pure decisions over a history and what is current."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from stillroom.core.history import History
from stillroom.errors import RefusedError, UnknownRevisionError

HEAD, HEADS = "head", "heads"


@dataclass(frozen=True)
class Plan:
    """The revisions that would run, in order, and what the version table holds before and after."""

    direction: str
    steps: tuple[str, ...]
    starts_at: tuple[str, ...]
    ends_at: tuple[str, ...]


def require_known(history: History, current: tuple[str, ...]) -> None:
    """Refuse a database that is at a revision this checkout does not have.

    Raises:
        UnknownRevisionError: A current revision has no file here.
    """
    unknown = [each for each in current if each not in history.revisions]
    if unknown:
        raise UnknownRevisionError(
            f"the database is at revision {', '.join(unknown)}, which has no file here: a newer checkout or another project",
            hint=hint_for_unknown(unknown[0]),
        )


def hint_for_unknown(revision: str) -> str:
    """Say how to find the checkout that has a revision, and what else may be done."""
    return (
        f"`git log --all --oneline -- {shlex.quote(f'*{revision}*')}` finds the commit that has it; check that out, or "
        "`invoke stamp <revision>` where the schema is proven to be at that one"
    )


def require_apart(history: History, current: tuple[str, ...]) -> None:
    """Refuse a version table where one row comes before another: which of them is true cannot be told from it.

    Args:
        history: Knows every revision of current.
        current: What the version table holds.

    Raises:
        RefusedError: One is an ancestor of another; both are named.
    """
    for each in find_overlapped(history, current):
        later = next(other for other in current if other != each and each in history.closure([other]))
        raise RefusedError(
            f"the version table holds {each} and {later}, which comes after it: one of the two rows is a stray",
            hint=f"`invoke stamp {later}` compares the schema with that revision and leaves only its row",
        )


def find_overlapped(history: History, current: tuple[str, ...]) -> tuple[str, ...]:
    """Name the rows that another row of the version table already includes; unknown ones are passed over."""
    known = [each for each in current if each in history.revisions]
    tops = history.tops(history.closure(known))
    return tuple(sorted(each for each in known if each not in tops))


def plan_upgrade(history: History, current: tuple[str, ...], target: str = HEADS) -> Plan:
    """List the revisions after current, up to and including target, parents first.

    Args:
        history: Every revision of the project, branches and merges included.
        current: The revisions stamped in the database; empty for an empty one.
        target: A revision id, "head" (the only one) or "heads" (all of them).

    Raises:
        UnknownRevisionError: current or target is not in history.
        RefusedError: target lies behind current, one current revision lies behind another, or something is pending
            for "head" where there are several.
    """
    require_known(history, current)
    require_apart(history, current)
    applied = history.closure(current)
    wanted = history.closure(_targets(history, target))
    if target == HEAD and len(history.heads) > 1 and not wanted <= applied:
        raise several_heads(history.heads)
    if target not in {HEAD, HEADS} and wanted < applied:
        raise RefusedError(
            f"revision {history.resolve(target)} lies behind the database, which is at {', '.join(current)}",
            hint=f"`invoke rollback --target {target}` goes back",
        )
    pending = wanted - applied
    steps = tuple(each for each in history.order if each in pending)
    return Plan(
        "upgrade", steps, tuple(sorted(current)), history.tops(applied | pending) if steps else tuple(sorted(current))
    )


def several_heads(heads: tuple[str, ...]) -> RefusedError:
    """Say that one head was meant and there are more."""
    return RefusedError(
        f"there are {len(heads)} heads: {', '.join(heads)}; nothing was run", hint=join_or_run(len(heads))
    )


def join_or_run(count: int) -> str:
    """Say what may be done about so many heads."""
    both = "both" if count == 2 else "all"
    return f"`invoke heads.merge` joins them, or `invoke migrate --target heads` applies {both}"


def _targets(history: History, target: str) -> tuple[str, ...]:
    return history.heads if target in {HEAD, HEADS} else (history.resolve(target),)


def plan_downgrade(history: History, current: tuple[str, ...], *, steps: int = 1, target: str = "") -> Plan:
    """List the revisions to undo, children first.

    Args:
        history: Every revision of the project.
        current: The revisions stamped in the database.
        steps: How many to undo when no target is given; at least 1.
        target: The revision to end at, or "base".

    Raises:
        UnknownRevisionError: current or target is not in history.
        RefusedError: Nothing is applied, several heads and no target, the target is not applied, or one current
            revision lies behind another.
    """
    require_known(history, current)
    require_apart(history, current)
    applied = history.closure(current)
    undone = _to_target(history, applied, target) if target else _last(history, current, steps)
    order = tuple(each for each in reversed(history.order) if each in undone)
    return Plan("downgrade", order, tuple(sorted(current)), history.tops(applied - undone))


def _to_target(history: History, applied: frozenset[str], target: str) -> frozenset[str]:
    if target == "base":
        return applied
    found = history.resolve(target)
    if found not in applied:
        raise RefusedError(
            f"revision {found} is not applied, so there is no way back to it",
            hint="`invoke history` shows what is applied",
        )
    return (history.descendants([found]) - {found}) & applied


def _last(history: History, current: tuple[str, ...], steps: int) -> frozenset[str]:
    if not current:
        raise RefusedError(
            "nothing is applied, there is nothing to roll back", hint="`invoke status` shows where the database stands"
        )
    if len(current) > 1:
        raise RefusedError(
            f"the database has several heads: {', '.join(sorted(current))}; which one to undo is not clear",
            hint="name where to end: `invoke rollback --target <revision>`; `invoke history` shows them",
        )
    undone: list[str] = []
    here = current[0]
    for step in range(steps):
        undone.append(here)
        parents = history.revisions[here].down
        if step + 1 == steps:
            break
        if len(parents) != 1:
            raise RefusedError(
                f"only {len(undone)} of {steps} steps are clear: {here} {'is a merge' if parents else 'is the first revision'}",
                hint="name where to end: `invoke rollback --target <revision>` or `--target base`",
            )
        here = parents[0]
    return frozenset(undone) | (history.descendants(undone) & history.closure(current))


def describe_place(history: History, current: tuple[str, ...]) -> str:
    """Say in one word how the database stands to this checkout: empty, head, behind, foreign or overlapping."""
    try:
        require_known(history, current)
    except UnknownRevisionError:
        return "foreign"
    if find_overlapped(history, current):
        return "overlapping"
    plan = plan_upgrade(history, current)
    if not plan.steps:
        return "head"
    return "behind" if current else "empty"
