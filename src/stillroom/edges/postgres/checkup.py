"""What doctor asks a server, in one read-only transaction that somebody else has opened; nothing is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.core.checkup import OpenSchema, Role, Session
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.session_settings import SETTINGS

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

_ROLE = """
select pg_catalog.quote_ident(r.rolname::text), pg_catalog.quote_ident(d.datname::text), r.rolsuper, r.rolconnlimit,
       coalesce((select pg_catalog.has_schema_privilege(n.oid, 'usage'::text) and pg_catalog.has_schema_privilege(n.oid, 'create'::text)
                 from pg_catalog.pg_namespace n where n.nspname::text = 'stillroom'::text),
                pg_catalog.has_database_privilege(d.oid, 'create'::text)),
       exists (select from pg_catalog.pg_namespace n where n.nspname::text = 'stillroom'::text),
       coalesce(pg_catalog.quote_ident(pg_catalog.current_schema()::text), 'public'), pg_catalog.current_schema() is not null,
       (select coalesce(pg_catalog.array_agg(pg_catalog.quote_ident(n.nspname::text) order by n.nspname::text), '{}'::text[])
        from pg_catalog.pg_namespace n
        where (n.nspname = pg_catalog.current_schema() or n.nspname::text = any(%s::text[]))
          and not (pg_catalog.has_schema_privilege(n.oid, 'usage'::text) and pg_catalog.has_schema_privilege(n.oid, 'create'::text)))
from pg_catalog.pg_roles r, pg_catalog.pg_database d
where r.rolname = current_user and d.datname = pg_catalog.current_database()
"""
# Trusted as in trust.py; the owner of `public` from PostgreSQL 15 on has one member, the owner of the database. Written
# out, because the tests read whole statements for names that somebody may have planted.
_OPEN = """
with recursive ours(oid) as (
  select r.oid from pg_catalog.pg_roles r where r.rolname = current_user
  union select m.roleid from pg_catalog.pg_auth_members m join ours on ours.oid = m.member),
trusted(oid) as (
  select ours.oid from ours
  union select d.datdba from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
  union select r.oid from pg_catalog.pg_roles r where r.rolsuper or r.rolname::text = 'pg_database_owner'::text)
select pg_catalog.quote_ident(n.nspname::text),
       case when a.grantee = 0::pg_catalog.oid then 'PUBLIC' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)::text) end,
       (select pg_catalog.count(r.oid)::int from pg_catalog.pg_roles r
        where r.rolcanlogin and r.oid not in (select t.oid from trusted t))
from pg_catalog.pg_namespace n,
     lateral pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n'::"char", n.nspowner))) a
where n.nspname = any(pg_catalog.current_schemas(false)) and a.privilege_type = 'CREATE'
  and a.grantee not in (select t.oid from trusted t)
order by 1, 2
"""
# Somebody may be building one right now: it is invalid until it is ready.
_INVALID = """
select pg_catalog.format('%I.%I', n.nspname, c.relname)
from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not i.indisvalid and c.relkind = 'i' and n.nspname::text !~ '^pg_(catalog|toast)'::text
  and not exists (select from pg_catalog.pg_stat_progress_create_index p
                  where p.datname = pg_catalog.current_database() and (p.index_relid = i.indexrelid or p.relid = i.indrelid or p.relid is null))
order by 1
"""
_UNVALIDATED = """
select pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.quote_ident(k.conname::text)
from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not k.convalidated and k.conislocal and k.conparentid = 0::pg_catalog.oid
  and n.nspname::text !~ '^pg_'::text and n.nspname::text <> 'information_schema'::text
"""
_UNVALIDATED_BEFORE_18 = _UNVALIDATED + " order by 1, 2"
_UNVALIDATED_FROM_18 = _UNVALIDATED + " and k.conenforced order by 1, 2"
_SESSIONS = """
select a.pid, coalesce(a.usename::text, '?'), coalesce(a.application_name, ''), coalesce(a.state, ''),
       coalesce(extract(epoch from pg_catalog.clock_timestamp() - a.xact_start)::int, 0), coalesce(a.query, ''), a.state is null
from pg_catalog.pg_stat_activity a
where a.datname = pg_catalog.current_database() and a.pid <> pg_catalog.pg_backend_pid() and coalesce(a.backend_type, 'client backend') = 'client backend'
order by a.xact_start
"""


def read_role(cursor: Cursor, schemas: tuple[str, ...]) -> Role:
    """Read what the role may do.

    Args:
        cursor: In a read-only transaction with the search path pinned.
        schemas: What it migrates besides the first schema of the path; one that is not there is passed over.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("reading the rights of the role"):
        cursor.execute(_ROLE, (list(schemas),))
        row = cursor.fetchone()
    assert row is not None
    name, database, is_superuser, limit, may_keep, has_records, target, has_target, closed = row
    return Role(name, database, is_superuser, limit, may_keep, has_records, target, has_target, tuple(closed))


def read_open_schemas(cursor: Cursor) -> tuple[OpenSchema, ...]:
    """Find the schemas of the search path in which a role that is not trusted may create.

    Trusted are this role and those it is in, the owner of the database, and superusers.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("reading the rights in the schemas"):
        cursor.execute(_OPEN)
        return tuple(OpenSchema(*row) for row in cursor.fetchall())


def read_invalid_indexes(cursor: Cursor) -> tuple[str, ...]:
    """Name the invalid indexes that nobody is building, quoted and with their schemas.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("looking for invalid indexes"):
        cursor.execute(_INVALID)
        return tuple(name for (name,) in cursor.fetchall())


def read_unvalidated(cursor: Cursor, server_version: int) -> tuple[tuple[str, str], ...]:
    """Name table and constraint, quoted, of each that is NOT VALID; one that is not enforced cannot be validated.

    Args:
        cursor: In a read-only transaction.
        server_version: As 180006: 18 knows constraints that are not enforced.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("looking for constraints"):
        cursor.execute(_UNVALIDATED_FROM_18 if server_version >= 180_000 else _UNVALIDATED_BEFORE_18)
        return tuple((table, name) for table, name in cursor.fetchall())


def read_sessions(cursor: Cursor) -> tuple[tuple[Session, ...], int]:
    """Read the other sessions of the database, and how many there are of which the server hides what they do.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("looking at the sessions"):
        cursor.execute(_SESSIONS)
        rows = cursor.fetchall()
    return tuple(Session(*row[:-1]) for row in rows if not row[-1]), sum(row[-1] for row in rows)


def read_unknown_settings(cursor: Cursor) -> tuple[str, ...]:
    """Name the settings of a migrating session that this server does not know.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("reading the server's settings"):
        cursor.execute("select s.name from pg_catalog.pg_settings s where s.name = any(%s::text[])", (list(SETTINGS),))
        known = {name for (name,) in cursor.fetchall()}
    return tuple(each for each in SETTINGS if each not in known)


def read_way(cursor: Cursor) -> tuple[int, str]:
    """Read the process id of the server's end, and why nothing can be written there; the latter empty when it can.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("looking at the server"):
        cursor.execute(
            """select pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(),
                      pg_catalog.current_setting('default_transaction_read_only')"""
        )
        row = cursor.fetchone()
    assert row is not None
    pid, is_standby, read_only = row
    return pid, "is a standby" if is_standby else "is read-only" if read_only == "on" else ""


def libpq_version() -> int:
    """Ask the library that psycopg2 brings for its version, as 170011."""
    from psycopg2.extensions import libpq_version as ask

    return int(ask())
