"""Whether a table that we read and write is ours: another role's code would run there with our rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from psycopg2 import sql

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

PlainFor = Literal["nobody", "superusers", "all"]
# Trusted are we, the roles we are a member of (a superuser counts as a member of what it was granted, not of all), the
# owner of the database, and superusers. A trigger is judged by the owner of its function, which is the code that runs:
# an auditor's or a replication tool's is a trusted role's. Row security counts where it hides rows from us; the owner
# of a table, as on Supabase, sees all. A superuser may write to everybody's table, and who only looks may read it, where it
# holds nothing that its owner could have made run: even a default of built-in functions can (`query_to_xml`).
FOUND = """
with recursive ours(oid) as (
  select r.oid from pg_catalog.pg_roles r where r.rolname = current_user
  union select m.roleid from pg_catalog.pg_auth_members m join ours on ours.oid = m.member),
trusted(oid) as (
  select ours.oid from ours
  union select d.datdba from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
  union select r.oid from pg_catalog.pg_roles r where r.rolsuper),
it as (select c.* from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass(%(name)s)::oid)
select pg_catalog.pg_get_userbyid(it.relowner)::text,
       it.relowner in (select t.oid from trusted t) or %(plain_for)s <> 'nobody'
         and (%(plain_for)s = 'all' or (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user))
         and it.relkind = 'r' and not exists (select from pg_catalog.pg_inherits h where h.inhparent = it.oid)
         and not exists (select from pg_catalog.pg_attrdef d where d.adrelid = it.oid)
         and not exists (select from pg_catalog.pg_constraint k where k.conrelid = it.oid and k.contype = 'c')
         and not exists (select from pg_catalog.pg_index i where i.indrelid = it.oid and (i.indexprs is not null or i.indpred is not null))
         and not exists (
           select from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
           where a.attrelid = it.oid and not a.attisdropped and t.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid)
         and not exists (
           select from pg_catalog.pg_index i join pg_catalog.pg_opclass o on o.oid = any(i.indclass::pg_catalog.oid[])
           where i.indrelid = it.oid and o.opcnamespace <> 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid),
       it.relkind in ('r', 'p'),
       (select pg_catalog.string_agg(t.tgname::text || ' of '::text || pg_catalog.pg_get_userbyid(p.proowner)::text, ', '::text)
        from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid
        where t.tgrelid = it.oid and not t.tgisinternal and t.tgenabled in ('O', 'A')
          and p.proowner not in (select t.oid from trusted t)),
       (select pg_catalog.string_agg(r.rulename::text, ', '::text) from pg_catalog.pg_rewrite r
        where r.ev_class = it.oid and r.ev_enabled in ('O', 'A')),
       pg_catalog.row_security_active(it.oid)
from it
"""


def find_distrust(cursor: Cursor, name: str, role: str, *, plain_for: PlainFor = "nobody") -> tuple[str, str]:
    """Say why a table is not ours, and what helps; nothing of it is read.

    Args:
        cursor: In a transaction; the search path is fixed.
        name: The table, quoted and with its schema.
        role: Who we are.
        plain_for: Whom a stranger's table will do where nothing in it runs the stranger's code: a superuser, or all who
            only look. What it says is still the stranger's word.

    Returns:
        What is wrong with it (no table, a stranger's, a foreign trigger, a rule, row security that holds for us) and a
        hint; twice an empty text when nothing is.
    """
    cursor.execute(FOUND, {"name": name, "plain_for": plain_for})
    row = cursor.fetchone()
    if row is None:
        return "", ""
    owner, is_trusted, is_table, triggers, rules, hides_rows = row
    quoted_owner, quoted_role = (sql.Identifier(each).as_string(cursor) for each in (owner, role))
    if not is_table:
        return "is no table", f"look at it, `\\d+ {name}` in psql, then drop or rename it"
    if not is_trusted:
        return (
            f"belongs to {owner}, who is neither {role}, nor a role it is in, nor the owner of the database",
            f"connect as {owner}; or, if you trust that role: `GRANT {quoted_owner} TO {quoted_role};`",
        )
    if triggers:
        return f"runs another role's code: trigger {triggers}", f"as its owner: `DROP TRIGGER … ON {name};`"
    if rules:
        return f"has a rule: {rules}", f"as its owner: `DROP RULE … ON {name};`"
    if hides_rows:
        what = f"has row security that holds for {role}: rows may be hidden"
        return what, f"as its owner: `ALTER TABLE {name} DISABLE ROW LEVEL SECURITY;`"
    return "", ""
