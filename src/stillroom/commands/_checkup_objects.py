"""Doctor's look into the database: what is half-made there, and which sessions stand in the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stillroom.core.checkup import judge_invalid_indexes, judge_sessions, judge_unvalidated
from stillroom.core.findings import Finding
from stillroom.edges.postgres import checkup
from stillroom.edges.postgres.lock import lock_key, read_holders

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from stillroom.commands._checkup import Patient

LONG_TRANSACTION_S = 300.0


def check_objects(patient: Patient, cursor: Cursor) -> Iterator[Finding]:
    """Name invalid indexes, and constraints that hold for new rows only."""
    yield from judge_invalid_indexes(checkup.read_invalid_indexes(cursor))
    yield from judge_unvalidated(checkup.read_unvalidated(cursor, patient.connection.info.server_version))


def check_sessions(_: Patient, cursor: Cursor) -> Iterator[Finding]:
    """Name transactions that are open for longer than five minutes: a migration would wait for their locks."""
    sessions, hidden = checkup.read_sessions(cursor)
    yield from judge_sessions(sessions, longest_s=LONG_TRANSACTION_S)
    if hidden:
        what = f"what {hidden} session{'s' if hidden != 1 else ''} of other roles do{'es' if hidden == 1 else ''} is hidden from this role"
        yield Finding("info", "sessions-hidden", what, "`GRANT pg_read_all_stats TO …` lets it see them")


def check_lock(patient: Patient, _: Cursor) -> Iterator[Finding]:
    """Name who holds the migration lock."""
    layout, current = patient.ground.layout, patient.current
    if layout is None or current is None:
        return
    key = lock_key(layout.version_table_schema or current.schema, layout.version_table)
    for each in read_holders(patient.connection, key):
        hint = f"wait for it; one that hangs is ended by `select pg_terminate_backend({each.pid});`"
        yield Finding("info", "lock-held", f"the migration lock is held by {each.shown}", hint)
