"""Drop schemas and put their surroundings back, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import sql

from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.surroundings import Surroundings, find_unrestorable, put_back, read_surroundings
from stillroom.errors import DatabaseError, RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

BATCH = 200
# What lives in other schemas and could hang on what is dropped: relations, columns, constraints, functions, types, triggers, policies.
OUTSIDE = """
with spaces as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' and not nspname = any(%(schemas)s))
select format('%%s %%I.%%I', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end, s.nspname, c.relname)
from pg_class c join spaces s on s.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
union all select format('column %%I.%%I.%%I', s.nspname, c.relname, a.attname)
from pg_attribute a join pg_class c on c.oid = a.attrelid join spaces s on s.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f')
union all select format('default of %%I.%%I.%%I', s.nspname, c.relname, a.attname)
from pg_attrdef d join pg_class c on c.oid = d.adrelid join spaces s on s.oid = c.relnamespace join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
union all select format('constraint %%I on %%I.%%I', k.conname, s.nspname, c.relname)
from pg_constraint k join pg_class c on c.oid = k.conrelid join spaces s on s.oid = c.relnamespace
union all select format('function %%I.%%I(%%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
from pg_proc p join spaces s on s.oid = p.pronamespace
union all select format('type %%I.%%I', s.nspname, t.typname) from pg_type t join spaces s on s.oid = t.typnamespace where t.typtype in ('e', 'd')
union all select format('trigger %%I on %%I.%%I', t.tgname, s.nspname, c.relname)
from pg_trigger t join pg_class c on c.oid = t.tgrelid join spaces s on s.oid = c.relnamespace where not t.tgisinternal
union all select format('policy %%I on %%I.%%I', p.polname, s.nspname, c.relname)
from pg_policy p join pg_class c on c.oid = p.polrelid join spaces s on s.oid = c.relnamespace
"""
LOCK_SLOTS = """
select current_setting('max_locks_per_transaction')::bigint * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint),
       (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(%(schemas)s) or c.oid in (select t.reltoastrelid from pg_class t join pg_namespace m on m.oid = t.relnamespace where m.nspname = any(%(schemas)s)))
"""
TABLES = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any(%(schemas)s) and c.relkind in ('r', 'p', 'f')
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('e', 'i'))
order by c.oid desc limit %(batch)s
"""


@dataclass(frozen=True)
class Reset:
    """What was dropped and put back.

    Args:
        schemas: The schemas.
        extensions: Put back, with their versions.
        taken: What hung on them in other schemas, and went along.
        batches: How many transactions dropped tables before the last one; 0 for the ordinary case.
    """

    schemas: tuple[str, ...]
    extensions: tuple[str, ...]
    taken: tuple[str, ...]
    batches: int


def reset_schemas(connection: Connection, schemas: tuple[str, ...], *, allows_outside: bool, lock_timeout_ms: int) -> Reset:
    """Drop the schemas, make them anew, and put owner, grants, default privileges, comment and extensions back.

    Args:
        connection: In autocommit; it holds the migration lock.
        schemas: Those that exist are dropped; the others are left out.
        allows_outside: Take along what hangs on them in other schemas.
        lock_timeout_ms: Longest wait for a table, in milliseconds.

    Raises:
        RefusedError: Something could not be put back, or hangs on them elsewhere; nothing was touched.
        DatabaseError: A session holds a table (SQLSTATE 55P03), or the server refused.
    """
    with translated("resetting the database"), connection.cursor() as cursor:
        cursor.execute("select set_config('lock_timeout', %s, false)", (f"{lock_timeout_ms}ms",))
        found = [each for each in (read_surroundings(cursor, schema) for schema in schemas) if each is not None]
        problems = [problem for each in found for problem in find_unrestorable(cursor, each)]
        if problems:
            raise RefusedError("not everything could be put back: " + "; ".join(problems), hint="run it as the owner of the database, or as a superuser")
        batches = _drop_in_batches(cursor, schemas, allows_outside=allows_outside)
        cursor.execute("begin")
        try:
            taken = _drop_and_put_back(cursor, found, allows_outside=allows_outside)
            cursor.execute("commit")
        except BaseException:
            if not connection.closed:
                cursor.execute("rollback")
            raise
    extensions = tuple(f"{one.name} {one.version}" for each in found for one in each.extensions)
    return Reset(tuple(each.schema for each in found), extensions, taken, batches)


def _drop_and_put_back(cursor: Cursor, found: list[Surroundings], *, allows_outside: bool) -> tuple[str, ...]:
    schemas = [each.schema for each in found]
    before = _outside(cursor, schemas)
    for each in found:
        cursor.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(each.schema)))
    taken = tuple(sorted(before - _outside(cursor, schemas)))
    _require_nothing_outside(taken, allows_outside=allows_outside)
    for each in found:
        put_back(cursor, each)
    for each in found:
        if read_surroundings(cursor, each.schema) != each:
            raise RefusedError(f"schema {each.schema} would not come back as it was; nothing was touched", hint="run it as a superuser, or reset by hand")
    return taken


def _outside(cursor: Cursor, schemas: list[str]) -> frozenset[str]:
    cursor.execute(OUTSIDE, {"schemas": schemas})
    return frozenset(line for (line,) in cursor.fetchall())


def _require_nothing_outside(taken: tuple[str, ...], *, allows_outside: bool) -> None:
    if taken and not allows_outside:
        shown = ", ".join(taken[:10]) + (f" and {len(taken) - 10} more" if len(taken) > 10 else "")
        raise RefusedError(f"this would take along what hangs on it in other schemas: {shown}; nothing was touched", hint="if that is meant: `invoke reset-dev --allow outside`")


def _drop_in_batches(cursor: Cursor, schemas: tuple[str, ...], *, allows_outside: bool) -> int:
    """Drop tables in several transactions when one would run out of lock slots; a rerun goes on where a kill left it."""
    names = {"schemas": list(schemas), "batch": BATCH}
    batches = 0
    while True:
        cursor.execute(LOCK_SLOTS, names)
        slots, objects = cursor.fetchone() or (0, 0)
        if objects < slots // 2:
            return batches
        cursor.execute(TABLES, names)
        tables = cursor.fetchall()
        if not tables:
            return batches
        _drop_batch(cursor, tables, list(schemas), allows_outside=allows_outside)
        batches += 1


def _drop_batch(cursor: Cursor, tables: list[tuple[str, str]], schemas: list[str], *, allows_outside: bool) -> None:
    cursor.execute("begin")
    try:
        before = _outside(cursor, schemas)
        cursor.execute(sql.SQL("drop table {} cascade").format(sql.SQL(", ").join(sql.Identifier(*each) for each in tables)))
        _require_nothing_outside(tuple(sorted(before - _outside(cursor, schemas))), allows_outside=allows_outside)
        cursor.execute("commit")
    except BaseException:
        if not cursor.connection.closed:
            cursor.execute("rollback")
        raise


def is_blocked(error: DatabaseError) -> bool:
    """Tell whether a reset failed because a session holds a table."""
    return "(55P03)" in error.message
