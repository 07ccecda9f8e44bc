"""What Alembic is told about a project on top of its own defaults; a project's own hooks run first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stillroom.edges.alembic.completing.findings import Findings

OWN_SCHEMA = "stillroom"
SCHEMAS = "stillroom_schemas"
CHECKS = "alembic.ext.checkconstraint_byname"
_FOREIGN = """
select n.nspname, c.relname, n.nspname = pg_catalog.current_schema(),
  coalesce((select 'of extension ' || e.extname::text from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
    where d.classid = 'pg_catalog.pg_class'::regclass::oid and d.objid = c.oid and d.deptype = 'e'
      and d.refclassid = 'pg_catalog.pg_extension'::regclass::oid limit 1),
    case when c.relispartition then 'partition of ' else 'inherits from ' end
      || (select i.inhparent::regclass::text from pg_catalog.pg_inherits i where i.inhrelid = c.oid limit 1))
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and (exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid) or exists (
  select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass::oid and d.objid = c.oid and d.deptype = 'e'))
"""


def configure_options(
    options: Mapping[str, Any],
    metadata: Any = None,
    *,
    findings: Findings | None = None,
    unmanaged: Iterable[str] = (),
) -> dict[str, Any]:
    """Chain ours behind the project's hooks, and set what the project did not.

    Args:
        options: The project's own.
        metadata: The models', when they are to be compared; None for a run of steps.
        findings: The answers that were given, and the place for what is found.
        unmanaged: Patterns of tables that belong to somebody else.
    """
    chosen: dict[str, Any] = {"compare_server_default": True, "transaction_per_migration": True, **options}
    if metadata is None:
        return chosen
    from stillroom.edges.alembic.completing.findings import KEY, Findings
    from stillroom.edges.alembic.completing.plugin import register
    from stillroom.edges.alembic.completing.types import render_item

    schemas = {table.schema for table in tables_of(metadata) if table.schema}
    if schemas and "include_schemas" not in options:
        chosen["include_schemas"], chosen[SCHEMAS] = True, frozenset(schemas)
    chosen[KEY] = findings or Findings()
    chosen["stillroom_unmanaged"] = tuple(unmanaged)
    chosen["render_item"] = _first(options.get("render_item"), render_item, nothing=False)
    chosen["include_name"] = _both(options.get("include_name"), include_name)
    given = options.get("autogenerate_plugins") or ["alembic.autogenerate.*"]
    chosen["autogenerate_plugins"] = [*given, register(), *_checks(metadata, given)]
    return chosen


def _checks(metadata: Any, given: Iterable[str]) -> list[str]:
    """Compare CHECK constraints by name only where each one of the models has a name: else those would seem to be gone."""
    from sqlalchemy import CheckConstraint

    found = [each for table in tables_of(metadata) for each in table.constraints if isinstance(each, CheckConstraint)]
    is_named = bool(found) and all(isinstance(each.name, str) for each in found)
    return [CHECKS] if is_named and CHECKS not in given and find_spec(CHECKS) else []


def include_name(name: str | None, kind: str, parents: Mapping[str, Any]) -> bool:
    """Leave alone what is not the models': our own schema, partitions, tables of extensions and of other tools."""
    schema = parents.get("schema_name")
    if OWN_SCHEMA in (schema, name if kind == "schema" else None):
        return False
    if kind == "schema":
        return _is_modelled_schema(name)
    migration = _migration() if kind == "table" else None
    if migration is None or (schema, name) in _modelled(migration):
        return True
    why = _foreign_tables(migration).get((schema, name)) or _unmanaged(migration, schema, name)
    if why:
        _findings(migration).left_alone[f"{schema}.{name}" if schema else str(name)] = why
    return not why


def _is_modelled_schema(name: str | None) -> bool:
    """Leave out the schemas of others, where the project itself did not ask for all of them."""
    migration = _migration()
    schemas = migration.opts.get(SCHEMAS) if migration else None
    return name is None or schemas is None or name in schemas


def _migration() -> Any:
    """Name Alembic's context of this run; None where no env.py runs on a connection."""
    from alembic import context

    if getattr(context, "_proxy", None) is None:
        return None
    migration = context.get_context()
    return None if migration.connection is None or migration.as_sql else migration


def _findings(migration: Any) -> Findings:
    from stillroom.edges.alembic.completing.findings import KEY

    found: Findings = migration.opts[KEY]
    return found


def _foreign_tables(migration: Any) -> Mapping[tuple[str | None, str | None], str]:
    """Ask the catalog once a run."""
    known: dict[tuple[str | None, str | None], str] | None = migration.opts.get("stillroom_foreign")
    if known is None:
        known = {}
        for schema, name, is_default, why in migration.connection.exec_driver_sql(_FOREIGN).all():
            known[schema, name] = why
            if is_default:
                known[None, name] = why
        migration.opts["stillroom_foreign"] = known
    return known


def _unmanaged(migration: Any, schema: str | None, name: str | None) -> str:
    names = {str(name), f"{schema or migration.dialect.default_schema_name}.{name}"}
    patterns = migration.opts.get("stillroom_unmanaged", ())
    found = any(fnmatchcase(each, pattern) for each in names for pattern in patterns)
    return "in STILLROOM_UNMANAGED_TABLES" if found else ""


def _modelled(migration: Any) -> set[tuple[str | None, str]]:
    """Tables that have a model belong to the project, whatever they are in the database."""
    known: set[tuple[str | None, str]] | None = migration.opts.get("stillroom_modelled")
    if known is None:
        tables = list(tables_of(migration.opts["target_metadata"]))
        known = {(table.schema, table.name) for table in tables}
        near = migration.dialect.default_schema_name
        known |= {(None, table.name) for table in tables if table.schema == near}
        migration.opts["stillroom_modelled"] = known
    return known


def tables_of(metadata: Any) -> Iterator[Any]:
    """Yield the tables of the models' metadata, or of a list of them."""
    for part in metadata if isinstance(metadata, list | tuple) else [metadata]:
        if part is not None:
            yield from part.tables.values()


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
