"""Event triggers of a database that is restored: they would fire for what the restore does, and write rows that no backup holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.session_options import SessionSettings

# A replica fires only those that are enabled for it, and so it is with triggers of tables: a dump makes them when its rows are in.
SWITCHES = {"event_triggers": "off", "session_replication_role": "replica"}
KNOWN = "select name from pg_settings where name = any(%s)"
IS_SUPERUSER = "select rolsuper from pg_roles where rolname = current_user"
MAY_SET = "select pg_catalog.has_parameter_privilege(%s::text, 'SET'::text)"
NAMES = "select evtname::text from pg_event_trigger where evtenabled <> 'D' order by 1"
RIGHTS_SINCE = 150_000


def quiet_settings(connection: Connection) -> SessionSettings:
    """Choose the setting with which this role's sessions fire no event trigger; none where it may set none.

    `event_triggers` (from PostgreSQL 17 on) is heeded by all of them, and by those that fire at the beginning of a session.

    Raises:
        DatabaseError: The server failed.
    """
    with translated("looking at the role"), connection.cursor() as cursor:
        cursor.execute(KNOWN, (list(SWITCHES),))
        known = {name for (name,) in cursor.fetchall()}
        for name, value in SWITCHES.items():
            if name in known:
                has_rights = connection.info.server_version >= RIGHTS_SINCE
                cursor.execute(MAY_SET if has_rights else IS_SUPERUSER, (name,) if has_rights else None)
                if (cursor.fetchone() or (False,))[0]:
                    return ((name, value),)
    return ()


def is_silenced(session: SessionSettings) -> bool:
    """Tell whether really none fires with these settings: a replica still fires those that are enabled for it."""
    return ("event_triggers", SWITCHES["event_triggers"]) in session


def read_event_triggers(connection: Connection) -> tuple[str, ...]:
    """Name the event triggers of the database that fire.

    Raises:
        DatabaseError: The server failed.
    """
    with translated("looking at the event triggers"), connection.cursor() as cursor:
        cursor.execute(NAMES)
        return tuple(name for (name,) in cursor.fetchall())
