"""What hangs on a schema besides its tables, and is lost when it is dropped: read, put back, compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import sql

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor


@dataclass(frozen=True)
class Extension:
    """An extension whose objects live in the schema."""

    name: str
    version: str


@dataclass(frozen=True)
class Grant:
    """One privilege, on the schema or on what will be made in it.

    Args:
        privilege: "USAGE", "SELECT" and so on.
        grantee: A role; an empty string for PUBLIC.
        is_grantable: With grant option.
        owner: For default privileges, whose new objects they are about; an empty string otherwise.
        objects: For default privileges, "TABLES", "SEQUENCES", "FUNCTIONS" or "TYPES".
    """

    privilege: str
    grantee: str
    is_grantable: bool
    owner: str = ""
    objects: str = ""


@dataclass(frozen=True)
class Surroundings:
    """Everything of a schema that is not a table, a type or a function of the application."""

    schema: str
    owner: str
    comment: str | None
    grants: frozenset[Grant]
    defaults: frozenset[Grant]
    extensions: tuple[Extension, ...]


OBJECTS = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES"}


def read_surroundings(cursor: Cursor, schema: str) -> Surroundings | None:
    """Read them; None when there is no such schema."""
    cursor.execute(
        "select pg_catalog.pg_get_userbyid(nspowner), pg_catalog.obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s",
        (schema,),
    )
    row = cursor.fetchone()
    if row is None:
        return None
    return Surroundings(
        schema, row[0], row[1], _grants(cursor, schema), _defaults(cursor, schema), _extensions(cursor, schema)
    )


def _grants(cursor: Cursor, schema: str) -> frozenset[Grant]:
    cursor.execute(
        """select a.privilege_type, case a.grantee when 0::oid then '' else pg_catalog.pg_get_userbyid(a.grantee) end, a.is_grantable
           from pg_namespace n, pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a where n.nspname = %s""",
        (schema,),
    )
    return frozenset(Grant(*row) for row in cursor.fetchall())


def _defaults(cursor: Cursor, schema: str) -> frozenset[Grant]:
    cursor.execute(
        """select a.privilege_type, case a.grantee when 0::oid then '' else pg_catalog.pg_get_userbyid(a.grantee) end, a.is_grantable,
                  pg_catalog.pg_get_userbyid(d.defaclrole), d.defaclobjtype
           from pg_default_acl d join pg_namespace n on n.oid = d.defaclnamespace, pg_catalog.aclexplode(d.defaclacl) a where n.nspname = %s""",
        (schema,),
    )
    return frozenset(Grant(p, g, bool(o), owner, OBJECTS[kind]) for p, g, o, owner, kind in cursor.fetchall())


def _extensions(cursor: Cursor, schema: str) -> tuple[Extension, ...]:
    cursor.execute(
        "select extname, extversion from pg_extension e join pg_namespace n on n.oid = e.extnamespace where nspname = %s order by e.oid",
        (schema,),
    )
    return tuple(Extension(*row) for row in cursor.fetchall())


def find_unrestorable(cursor: Cursor, found: Surroundings) -> list[str]:
    """Name what this role could drop and not put back."""
    problems = []
    for each in found.extensions:
        cursor.execute(
            """select pg_catalog.bool_or(v.version = %s), pg_catalog.bool_or(v.version = %s and (not v.superuser or v.trusted or r.rolsuper))
               from pg_available_extension_versions v, pg_roles r where v.name = %s and r.rolname = current_user""",
            (each.version, each.version, each.name),
        )
        is_there, may_create = cursor.fetchone() or (False, False)
        if not is_there:
            problems.append(f"extension {each.name} {each.version} is not available on the server any more")
        elif not may_create:
            problems.append(f"extension {each.name} can only be created by a superuser")
    for owner in sorted({each.owner for each in found.defaults}):
        cursor.execute("select pg_catalog.pg_has_role(current_user, %s, 'USAGE')", (owner,))
        row = cursor.fetchone()
        if not (row and row[0]):
            problems.append(f"{owner} gave default privileges in it")
    return problems


def put_back(cursor: Cursor, found: Surroundings) -> None:
    """Create the schema and everything that hung on it."""
    schema = sql.Identifier(found.schema)
    cursor.execute(sql.SQL("create schema {}").format(schema))
    cursor.execute(sql.SQL("alter schema {} owner to {}").format(schema, sql.Identifier(found.owner)))
    for each in sorted(found.grants, key=repr):
        if each.grantee != found.owner:
            cursor.execute(
                sql.SQL("grant {} on schema {} to {}{}").format(
                    sql.SQL(each.privilege), schema, _grantee(each), _option(each)
                )
            )
    for each in sorted(found.defaults, key=repr):
        cursor.execute(
            sql.SQL("alter default privileges for role {} in schema {} grant {} on {} to {}{}").format(
                sql.Identifier(each.owner),
                schema,
                sql.SQL(each.privilege),
                sql.SQL(each.objects),
                _grantee(each),
                _option(each),
            )
        )
    if found.comment is not None:
        cursor.execute(sql.SQL("comment on schema {} is {}").format(schema, sql.Literal(found.comment)))
    for extension in found.extensions:
        cursor.execute(
            sql.SQL("create extension {} schema {} version {}").format(
                sql.Identifier(extension.name), schema, sql.Identifier(extension.version)
            )
        )


def _grantee(grant: Grant) -> sql.Composable:
    return sql.Identifier(grant.grantee) if grant.grantee else sql.SQL("public")


def _option(grant: Grant) -> sql.Composable:
    return sql.SQL(" with grant option") if grant.is_grantable else sql.SQL("")
