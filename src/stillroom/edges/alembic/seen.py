"""What the session of a step looks like from inside its transaction, and what a step must have left as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection

    from stillroom.edges.alembic.attempt import Attempt

_LOOK = """
select coalesce(pg_catalog.current_setting('stillroom.token', true), ''), pg_catalog.pg_backend_pid(), current_user::text,
       pg_catalog.current_setting('search_path'), pg_catalog.now(),
         (select coalesce(pg_catalog.array_agg(pg_catalog.concat_ws(' '::text, classid, objid, objsubid)::text), '{}'::text[])
        from pg_catalog.pg_locks where locktype = 'advisory'::text and pid = pg_catalog.pg_backend_pid() and granted),
       (select pg_catalog.array_agg(coalesce(pg_catalog.to_regclass(name)::oid, 0::oid) order by place)
        from pg_catalog.unnest(%s::text[]) with ordinality as kept (name, place))
"""


class DishonestStepError(Exception):
    """A revision did what would make the record untrue; the message says what."""


@dataclass(frozen=True)
class Seen:
    """The session in the middle of a step.

    Args:
        began: When its transaction did.
        locks: The advisory locks it holds.
        tables: The identities of the tables to keep; 0 for one that is not there.
    """

    token: str
    pid: int
    role: str
    search_path: str
    began: datetime
    locks: list[str]
    tables: list[int]


def look(raw: PsycopgConnection, kept: list[str]) -> Seen:
    """Read it; kept are the tables whose identity counts, as SQL names them.

    Raises:
        psycopg2.errors.InFailedSqlTransaction: The step went on after an error of the server.
    """
    with raw.cursor() as cursor:
        cursor.execute(_LOOK, (kept,))
        row = cursor.fetchone()
    assert row is not None
    return Seen(*row)


def require_same(before: Seen, after: Seen, attempt: Attempt, kept: list[str]) -> None:
    """Compare what was seen before the step with what is seen after it.

    Raises:
        DishonestStepError: Its transaction, session, locks or tables are not what they were.
    """
    if after.token != attempt.token and after.began == before.began and not attempt.is_stray:
        raise DishonestStepError("it reset the settings of its session, by RESET ALL or DISCARD")
    if after.token != attempt.token or attempt.is_stray:
        attempt.has_committed = True
        raise DishonestStepError(
            "it ended its own transaction, by COMMIT or ROLLBACK in its SQL or by commit() or rollback() on the connection"
        )
    require_session(after, attempt, "when it ended")
    if not set(before.locks) <= set(after.locks):
        raise DishonestStepError("it let the migration lock go: another migration may be running by now")
    lost = [name for name, was, now in zip(kept, before.tables, after.tables, strict=True) if was != now]
    if lost:
        raise DishonestStepError(f"it dropped or replaced {', '.join(lost)}".replace('"', ""))


def require_session(seen: Seen, attempt: Attempt, when: str) -> None:
    """Compare with the session as it was set up.

    Raises:
        DishonestStepError: Another server process, role or search path.
    """
    session = attempt.session
    assert session is not None, "steps run on a session that was read first"
    if seen.pid != session.pid:
        raise DishonestStepError(
            f"{when}, another server process answered ({seen.pid}, not {session.pid}): a pooler took the session away"
        )
    if seen.role != session.role:
        raise DishonestStepError(f"{when}, the role was {seen.role} and not {session.role}: `RESET ROLE` is missing")
    if seen.search_path != session.search_path:
        raise DishonestStepError(
            f"{when}, the search_path was {seen.search_path} and not {session.search_path}: name the schema instead, as in `schema=`"
        )
