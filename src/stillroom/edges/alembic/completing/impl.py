"""Alembic's PostgreSQL dialect with one question for all serial columns in the place of one for each.

Source: Alembic documentation, "DDL Internals": a subclass with `__dialect__` is what its contexts use from then on.
"""

from __future__ import annotations

import re
from typing import Any

from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import BIGINT, INTEGER, SMALLINT, ColumnClause
from sqlalchemy.types import NULLTYPE, NullType

from stillroom.edges.alembic.completing.named import Named
from stillroom.edges.alembic.completing.texts import escaped, sql_of

_OWNED = """
select c.oid::regclass::text, t.oid::regclass::text, a.attname::text from pg_catalog.pg_depend d
join pg_catalog.pg_class c on c.oid = d.objid join pg_catalog.pg_class t on t.oid = d.refobjid
join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum::integer = d.refobjsubid
where d.classid = 'pg_catalog.pg_class'::regclass::oid and d.refclassid = 'pg_catalog.pg_class'::regclass::oid
  and d.deptype = 'a' and c.relkind = 'S'
"""
_NAMED = """
select n.nspname::text, c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
  n.nspname = pg_catalog.current_schema()
from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_type t on t.oid = a.atttypid
where t.typnamespace <> 'pg_catalog'::regnamespace::oid and a.attnum > 0::smallint and not a.attisdropped and c.relkind in ('r', 'p')
"""
NAMED = "stillroom_named_types"
_NEXTVAL = re.compile(r"nextval\('(?P<name>.+)'::regclass\)")
KEY = "stillroom_owned_sequences"


class StillroomImpl(PostgresqlImpl):
    """Takes the default of a serial column for what it is, without a statement of its own."""

    __dialect__ = "postgresql"

    def autogen_column_reflect(self, inspector: Any, table: Any, column_info: Any) -> None:
        """Be Alembic's hook on each column that is reflected."""
        if isinstance(column_info["type"], NullType):
            column_info["type"] = self._named(inspector, table, column_info["name"])
        default = column_info.get("default")
        if default:
            column_info["default"] = escaped(default)  # it becomes a text() of SQLAlchemy's
        if not default or not isinstance(column_info["type"], SMALLINT | INTEGER | BIGINT):
            return
        match = _NEXTVAL.fullmatch(default)
        if match and self._owner(inspector, match["name"]) == column_info["name"]:
            del column_info["default"]

    def render_ddl_sql_expr(self, expr: Any, is_server_default: bool = False, is_index: bool = False, **kw: Any) -> str:
        """Be Alembic's hook for a clause in a file: as the server is to get it, and as `text()` takes it."""
        del is_server_default, kw
        if is_index:  # literal_column(), in which a colon is one
            return sql_of(expr if isinstance(expr, ColumnClause) else expr.self_group())
        return escaped(sql_of(expr))

    def _compile_element(self, element: Any) -> str:
        """Be Alembic's reading of an index expression, of the database and of the models, where it compares them."""
        return element if isinstance(element, str) else sql_of(element)

    def compare_type(self, inspector_column: Any, metadata_column: Any) -> bool:
        """Be Alembic's comparison of types: one that SQLAlchemy does not know is compared by its parameters."""
        if isinstance(inspector_column.type, Named):
            return inspector_column.type.is_other(metadata_column.type)
        return bool(super().compare_type(inspector_column, metadata_column))

    def _named(self, inspector: Any, table: Any, column: str) -> Any:
        """Name a type as the server does; all that are not PostgreSQL's own are asked for at once."""
        cache = inspector.info_cache
        if NAMED not in cache:
            rows = inspector.bind.exec_driver_sql(_NAMED).all()
            cache[NAMED] = {(None if near else schema, name, each): spec for schema, name, each, spec, near in rows}
        spec = cache[NAMED].get((table.schema, table.name, column))
        return Named(spec) if spec else NULLTYPE

    def _owner(self, inspector: Any, sequence: str) -> str | None:
        """Name the column that owns a sequence; all of them are asked for at once."""
        cache = inspector.info_cache
        if KEY not in cache:
            rows = inspector.bind.exec_driver_sql(_OWNED).all()
            cache[KEY] = {name: column for name, _, column in rows}
        owners: dict[str, str] = cache[KEY]
        return owners.get(sequence)
