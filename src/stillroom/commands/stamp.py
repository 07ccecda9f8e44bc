"""`invoke stamp`: write the current revision without running anything, once the schema is proven to be there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import look, standing_of
from stillroom.commands._proof import prove
from stillroom.commands._recording import record
from stillroom.commands._settling import close_open_step
from stillroom.commands._steps import begin_work, run_under_lock
from stillroom.core.guard import require_allowed
from stillroom.core.history import History
from stillroom.errors import DatabaseError, RefusedError, SettingsError

if TYPE_CHECKING:
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

PROVEN, UNPROVEN = "stamp that is proven", "stamp that cannot be proven"


@dataclass(frozen=True)
class Stamped:
    """What the version table held, what it holds now, and how that was proven."""

    database: str
    before: tuple[str, ...]
    now: tuple[str, ...]
    proof: str


def stamp_database(
    settings: Settings, terminal: Terminal, *, revision: str, wait_s: str = "", allowed: frozenset[str] = frozenset()
) -> Stamped:
    """Write revision into the version table, also from a revision that is not in this checkout.

    Args:
        settings: Where the database is.
        terminal: Told how the proof goes.
        revision: An id, "head", "heads" or "base".
        wait_s: Longest wait for the lock in seconds, as typed; empty for the setting.
        allowed: "unproven" lets it through without a proof.

    Raises:
        SettingsError: No revision given, or settings that cannot be used.
        UnknownRevisionError: The revision is not in the history.
        RefusedError: The schema is not proven to be at that revision.
        DatabaseError: The server refused.
        LockBusyError: A migration holds the lock and the wait ran out.
    """
    if not revision:
        raise SettingsError("no revision was given", hint="`invoke stamp head`, or an id of `invoke history`")
    work, current = begin_work(settings, terminal, command="stamp", wait_s=wait_s)
    project, database = work.project, work.target
    tops = _tops(project.history, revision)
    standing = standing_of(settings, database, current, terminal)
    now = _joined(project.history, current.revisions, tops)
    if now == current.revisions and (current.has_version_table or not current.has_ledger):
        return Stamped(database.shown, current.revisions, now, "already there")
    proof = prove(work, terminal, tops)
    act = UNPROVEN if proof.differences or not proof.is_possible else PROVEN
    detail = "; ".join(proof.differences[:8]) or proof.how
    require_allowed(act, standing, allowed=allowed, command=f"stamp {revision}", detail=detail)

    def body(held: Migrating, say: Callable[[str], None]) -> tuple[str, ...]:
        from stillroom.edges.postgres.version_table import write_revisions

        if held.current.revisions != current.revisions:
            raise RefusedError(
                "the database moved while this was proven; nothing was touched",
                hint=f"`invoke stamp {revision}` looks again",
            )
        schema = project.layout.version_table_schema or held.current.schema
        write_revisions(held.connection, schema=schema, table=project.layout.version_table, revisions=now)
        close_open_step(work, held, "stamped")
        record(
            work, held.connection, say, current.revisions, "stamp", after=now, reason=detail if act != PROVEN else ""
        )
        return now

    run_under_lock(work, terminal, body)
    seen = look(database, project, settings, command="stamp").revisions
    if seen != now:
        raise DatabaseError(
            f"stamped, but the version table holds {', '.join(seen)}",
            hint="another session changed it: `invoke status`",
        )
    return Stamped(
        database.shown,
        current.revisions,
        now,
        proof.how if act == PROVEN else "not proven, allowed by name",
    )


def _tops(history: History, revision: str) -> tuple[str, ...]:
    if revision == "base":
        return ()
    if revision in {"head", "heads"}:
        if revision == "head" and len(history.heads) > 1:
            raise RefusedError(
                f"there are {len(history.heads)} heads: {', '.join(history.heads)}",
                hint="`invoke stamp heads` stamps all of them; or name one",
            )
        return history.heads
    return (history.resolve(revision),)


def _joined(history: History, current: tuple[str, ...], tops: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the rows of other branches; drop unknown ones, and those that come before or after what is stamped."""
    if not tops:
        return ()
    line = history.closure(tops) | history.descendants(tops)
    others = [each for each in current if each in history.revisions and each not in line]
    return tuple(sorted({*tops, *others}))
