"""What Alembic is told about a project on top of its own defaults; a project's own hooks run first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

OWN_SCHEMA = "stillroom"
_FOREIGN = """
select n.nspname, c.relname, n.nspname = pg_catalog.current_schema() from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and (c.relispartition or exists (
  select from pg_depend d where d.classid = 'pg_class'::regclass::oid and d.objid = c.oid and d.deptype = 'e'))
"""


def configure_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Chain ours behind the project's hooks, and set what the project did not."""
    from stillroom.edges.alembic.directives import complete_directives

    chosen: dict[str, Any] = {"compare_server_default": True, "transaction_per_migration": True, **options}
    chosen["render_item"] = _first(options.get("render_item"), render_item, nothing=False)
    chosen["include_name"] = _both(options.get("include_name"), include_name)
    chosen["process_revision_directives"] = _after(options.get("process_revision_directives"), complete_directives)
    return chosen


def render_item(kind: str, item: Any, context: Any) -> str | bool:
    """Render SQLModel's own types as the plain types they wrap, and import what other types come from."""
    if kind != "type":
        return False
    home = type(item).__module__
    if home.startswith("sqlmodel"):
        from alembic.autogenerate.render import _repr_type

        return str(_repr_type(plain_type(item), context))
    if _is_native_enum(item):
        from stillroom.edges.alembic.enums import render_enum

        context.imports.add("from sqlalchemy.dialects import postgresql")
        return render_enum(item)
    if not home.startswith("sqlalchemy"):
        context.imports.add(f"import {home}")
    return False


def _is_native_enum(item: Any) -> bool:
    from sqlalchemy import Enum

    return isinstance(item, Enum) and item.native_enum and bool(item.name)


def plain_type(item: Any) -> Any:
    """Take the type out of its decorator."""
    inner = item.load_dialect_impl(_dialect()) if hasattr(item, "load_dialect_impl") else item
    if type(inner).__module__.startswith("sqlmodel"):
        inner = item.impl
    length = getattr(item, "length", None) or getattr(item.impl, "length", None)
    return type(inner)(length=length) if length is not None else inner


def _dialect() -> Any:
    from sqlalchemy.dialects import postgresql

    make: Any = postgresql.dialect
    return make()


def include_name(name: str | None, kind: str, parents: Mapping[str, Any]) -> bool:
    """Leave alone what is not the models': our own schema, partitions, and tables of extensions."""
    schema = parents.get("schema_name")
    if OWN_SCHEMA in (schema, name if kind == "schema" else None):
        return False
    return kind != "table" or (schema, name) not in _foreign_tables()


def _foreign_tables() -> frozenset[tuple[str | None, str]]:
    """Ask the catalog once a run; there is nothing to ask where no env.py runs."""
    from alembic import context

    if getattr(context, "_proxy", None) is None:
        return frozenset()
    migration = context.get_context()
    if migration.connection is None or migration.as_sql:
        return frozenset()
    if "stillroom_foreign" not in migration.opts:
        rows = migration.connection.exec_driver_sql(_FOREIGN).all()
        names = {(schema, name) for schema, name, _ in rows}
        names |= {(None, name) for _, name, is_default in rows if is_default}
        migration.opts["stillroom_foreign"] = frozenset(names - _modelled(migration.opts["target_metadata"]))
    return frozenset(migration.opts["stillroom_foreign"])


def _modelled(metadata: Any) -> set[tuple[str | None, str]]:
    """Tables that have a model belong to the project, whatever they are in the database."""
    parts = metadata if isinstance(metadata, list | tuple) else [metadata]
    return {(table.schema, table.name) for part in parts if part is not None for table in part.tables.values()}


def _first(theirs: Callable[..., Any] | None, ours: Callable[..., Any], *, nothing: Any) -> Callable[..., Any]:
    if theirs is None:
        return ours

    def either(*args: Any) -> Any:
        answer = theirs(*args)
        return ours(*args) if answer is nothing else answer

    return either


def _both(theirs: Callable[..., bool] | None, ours: Callable[..., bool]) -> Callable[..., bool]:
    if theirs is None:
        return ours
    return lambda *args: bool(theirs(*args)) and ours(*args)


def _after(theirs: Callable[..., Any] | None, ours: Callable[..., Any]) -> Callable[..., Any]:
    if theirs is None:
        return ours

    def one_by_one(*args: Any) -> None:
        theirs(*args)
        ours(*args)

    return one_by_one
