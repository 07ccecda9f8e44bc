"""Enum types: made before the first column that needs them, grown in place, dropped after the last column is gone.

Alembic leaves all of it out. Source: PostgreSQL documentation, "ALTER TYPE": a value that was added cannot be used before
the transaction has ended, and none can be taken away, so that a type that loses one is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alembic.operations import ops
from psycopg2 import sql
from sqlalchemy import DefaultClause, text

from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.defaults import plain, text_of
from stillroom.edges.alembic.completing.findings import Findings, findings_of, flatten, literal, quoted, shown, words
from stillroom.edges.alembic.completing.operations import StatementOp, Way
from stillroom.edges.alembic.enums import CreateEnumOp, DropEnumOp, is_enum

_EXISTING = """
select n.nspname, t.typname, pg_catalog.pg_type_is_visible(t.oid),
  array(select e.enumlabel::text from pg_catalog.pg_enum e where e.enumtypid = t.oid order by e.enumsortorder),
  array(select pg_catalog.jsonb_build_array(cn.nspname, c.relname, a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
      a.atttypid <> t.oid, pg_catalog.pg_table_is_visible(c.oid))::text
    from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.atttypid in (t.oid, t.typarray) and not a.attisdropped and c.relkind in ('r', 'p') and not c.relispartition
    order by 1),
  exists (select from pg_catalog.pg_depend p where p.objid = t.oid and p.classid = 'pg_catalog.pg_type'::regclass::oid and p.deptype = 'e')
from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.typtype = 'e' order by 1, 2
"""


@dataclass(frozen=True)
class Use:
    """A column that has the type: where it is, what its default is, and whether it is an array of it."""

    schema: str | None
    table: str
    column: str
    default: str | None
    is_array: bool


@dataclass(frozen=True)
class Live:
    """An enum type of the database."""

    schema: str | None
    name: str
    labels: tuple[str, ...]
    uses: tuple[Use, ...]
    is_foreign: bool

    @property
    def quoted(self) -> str:
        """Its name as SQL."""
        return quoted(self.schema, self.name)


def settle_enums(context: Any, upgrade: Any) -> None:
    """Add what the models' enum types need."""
    live = _read(context.connection)
    findings = findings_of(context)
    wanted = {(each.schema, str(each.name)): each for each in _modelled(context)}
    needed = {(each.schema, str(each.name)): each for each in _needed(upgrade)}
    new = [each for key, each in needed.items() if key not in live]
    changes: list[Any] = []
    for key, item in wanted.items():
        if key in live and not live[key].is_foreign:
            changes += _change(live[key], tuple(str(each) for each in item.enums), findings, context)
    gone = [
        each
        for key, each in live.items()
        if key not in wanted and key == (each.schema, each.name) and not each.is_foreign and _loses_all(each, upgrade)
    ]
    _follow_defaults(upgrade, findings)
    upgrade.ops[:0] = [*(CreateEnumOp(each) for each in new), *changes]
    upgrade.ops.extend(DropEnumOp(_as_type(each)) for each in gone)


def _read(connection: Any) -> dict[tuple[str | None, str], Live]:
    import json

    found: dict[tuple[str | None, str], Live] = {}
    for schema, name, is_visible, labels, uses, is_foreign in connection.exec_driver_sql(_EXISTING).all():
        parsed = []
        for place, table, column, default, is_array, near in (json.loads(each) for each in uses):
            parsed.append(Use(None if near else place, table, column, default, is_array))
        one = Live(None if is_visible else schema, name, tuple(labels), tuple(parsed), is_foreign)
        found[schema, name] = one
        if is_visible:
            found[None, name] = one
    return found


def _modelled(context: Any) -> Iterator[Any]:
    for table in context.sorted_tables:
        yield from _enums(column.type for column in table.columns)


def _needed(upgrade: Any) -> Iterable[Any]:
    for operation in flatten(upgrade):
        if isinstance(operation, ops.CreateTableOp):
            yield from _enums(getattr(each, "type", None) for each in operation.columns)
        elif isinstance(operation, ops.AddColumnOp):
            yield from _enums([operation.column.type])
        elif isinstance(operation, ops.AlterColumnOp):
            yield from _enums([operation.modify_type])


def _enums(types: Iterable[Any]) -> Iterator[Any]:
    """Pick the enum types, those of arrays included."""
    inner = (getattr(each, "item_type", each) for each in types)
    return (each for each in inner if is_enum(each))


def _loses_all(live: Live, upgrade: Any) -> bool:
    """Say whether every column of the type goes, or gets another type."""
    lost: set[tuple[str | None, str, str]] = set()
    for operation in flatten(upgrade):
        if isinstance(operation, ops.DropTableOp):
            lost |= {(operation.schema, operation.table_name, each.name) for each in operation.to_table().columns}
        elif isinstance(operation, ops.DropColumnOp) or (
            isinstance(operation, ops.AlterColumnOp) and operation.modify_type is not None
        ):
            lost.add((operation.schema, operation.table_name, operation.column_name))
    return bool(live.uses) and all((each.schema, each.table, each.column) in lost for each in live.uses)


def _as_type(live: Live) -> Any:
    from sqlalchemy.dialects import postgresql

    return postgresql.ENUM(*live.labels, name=live.name, schema=live.schema)


def _change(live: Live, labels: tuple[str, ...], findings: Findings, context: Any) -> list[Any]:
    gone = [each for each in live.labels if each not in labels]
    added = [each for each in labels if each not in live.labels]
    renamed, moved = _settle_gone(live, gone, added, labels, findings, context)
    if findings.questions and any(
        each.subject.startswith(f"{shown(live.schema, live.name)}.") for each in findings.questions
    ):
        return []
    found: list[Any] = [_rename(live, old, new) for old, new in renamed.items()]
    current = tuple(renamed.get(each, each) for each in live.labels)
    if set(labels) - set(current) or moved:
        found.append(_grow(live, current, labels) if not moved else _rebuild_op(live, current, labels, moved))
    return found


def _settle_gone(
    live: Live, gone: list[str], added: list[str], labels: Sequence[str], findings: Findings, context: Any
) -> tuple[dict[str, str], dict[str, str]]:
    """Find out what became of members that the models no longer have."""
    renamed: dict[str, str] = {}
    moved: dict[str, str] = {}
    for old in gone:
        subject = f"{shown(live.schema, live.name)}.{old}"
        new, other = findings.find("rename", subject), findings.find("replace", subject)
        if new in added and new not in renamed.values():
            assert new is not None
            renamed[old] = new
        elif other in labels:
            assert other is not None
            moved[old] = other
        elif findings.answers.is_lost(subject):
            moved[old] = ""
        else:
            findings.used -= {("rename", subject), ("replace", subject)}
            findings.questions += _ask(live, subject, old, added, labels, context)
    return renamed, moved


def _follow_defaults(upgrade: Any, findings: Findings) -> None:
    """Word the default a column has in the members of afterwards: it is changed after them, and changed back before them."""
    for operation in flatten(upgrade):
        before = getattr(operation, "existing_server_default", None)
        kind: Any = getattr(operation, "existing_type", None)
        if not isinstance(before, DefaultClause) or not is_enum(kind):
            continue
        old = plain(text_of(before))
        subject = f"{shown(kind.schema, str(kind.name))}.{old}"
        new = findings.answers.rename.get(subject) or findings.answers.replace.get(subject)
        if new or findings.answers.is_lost(subject):
            operation.existing_server_default = DefaultClause(text(literal(new))) if new else None


def _ask(
    live: Live, subject: str, old: str, added: list[str], labels: Sequence[str], context: Any
) -> Iterator[Question]:
    count = sum(_count(context.connection, live, each, old) for each in live.uses)
    rows = f"{count} row{'s' if count != 1 else ''} here hold{'s' if count == 1 else ''} it"
    said = f"{subject} is gone from the models, and {rows}: what becomes of the rows that hold it?"
    if added:
        yield Question("rename", subject, said, tuple(added), may_be_lost=False)
    else:
        yield Question("replace", subject, said, tuple(labels))


def _count(connection: Any, live: Live, use: Use, label: str) -> int:
    """Count the rows that hold a member."""
    form = "{label}::text = any({column}::text[])" if use.is_array else "{column}::text = {label}::text"
    holds = sql.SQL(form).format(column=sql.Identifier(use.column), label=sql.Literal(label))
    table = sql.Identifier(*([use.schema] if use.schema else []), use.table)
    with connection.connection.dbapi_connection.cursor() as cursor:
        cursor.execute(sql.SQL("select pg_catalog.count(*) from {} where {}").format(table, holds))
        return int(cursor.fetchone()[0])


def _rename(live: Live, old: str, new: str) -> StatementOp:
    def way(one: str, other: str) -> Way:
        statement = f"ALTER TYPE {live.quoted} RENAME VALUE {literal(one)} TO {literal(other)}"
        return Way((statement,), f"rename_value {live.name}.{one} to {other}")

    return StatementOp("rename_value", way(old, new), way(new, old))


def _grow(live: Live, current: tuple[str, ...], labels: tuple[str, ...]) -> StatementOp:
    """Add the new members in their places; on the way back the type is made anew without them."""
    up, known = [], list(current)
    for at, label in enumerate(labels):
        if label in known:
            continue
        before = [each for each in labels[:at] if each in known]
        if before:
            place, beside = "AFTER", before[-1]
            known.insert(known.index(beside) + 1, label)
        else:
            place, beside = "BEFORE", known[0]
            known.insert(0, label)
        up.append(f"ALTER TYPE {live.quoted} ADD VALUE IF NOT EXISTS {literal(label)} {place} {literal(beside)}")
    new = ", ".join(each for each in labels if each not in current)
    forward = Way(tuple(up), f"add_value {live.name}: {new}", alone=True)
    return StatementOp("add_value", forward, Way(_rebuild(live, current, {}), f"remake_type {live.name} without {new}"))


def _rebuild_op(live: Live, current: tuple[str, ...], labels: tuple[str, ...], moved: dict[str, str]) -> StatementOp:
    about = ", ".join(f"{old} becomes {new or 'null'}" for old, new in moved.items())
    forward = Way(_rebuild(live, labels, moved), f"remake_type {live.name}: {about}")
    back = Way(_rebuild(live, current, {}), f"remake_type {live.name} with {', '.join(moved)}")
    return StatementOp("remake_type", forward, back)


def _rebuild(live: Live, labels: Iterable[str], moved: dict[str, str]) -> tuple[str, ...]:
    """Make the type anew with other members, and put its columns on it; a value that is none of them fails."""
    old = quoted(live.schema, f"{live.name}_before")
    members = ", ".join(literal(each) for each in labels)
    lines = []
    for use in live.uses:
        table, column = quoted(use.schema, use.table), quoted(use.column)
        for gone, new in moved.items():
            lines.append(
                words("UPDATE", table, "SET", column, "=", _replaced(live, use, gone, new), "WHERE", _holds(use, gone))
            )
        if use.default is not None:
            lines.append(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")
    lines.append(f"ALTER TYPE {live.quoted} RENAME TO {quoted(f'{live.name}_before')}")
    lines.append(f"CREATE TYPE {live.quoted} AS ENUM ({members})")
    for use in live.uses:
        table, column = quoted(use.schema, use.table), quoted(use.column)
        brackets = "[]" if use.is_array else ""
        lines.append(
            f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {live.quoted}{brackets} "
            f"USING {column}::text{brackets}::{live.quoted}{brackets}"
        )
        default = _default(live, use, moved)
        if default:
            lines.append(f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}")
    return (*lines, f"DROP TYPE {old}")


def _default(live: Live, use: Use, moved: dict[str, str]) -> str:
    for gone, new in moved.items():
        if (use.default or "").startswith(f"{literal(gone)}::"):
            return f"{literal(new)}::{live.quoted}" if new else ""
    return use.default or ""


def _holds(use: Use, label: str) -> str:
    column = quoted(use.column)
    return f"{literal(label)} = ANY({column}::text[])" if use.is_array else f"{column} = {literal(label)}"


def _replaced(live: Live, use: Use, gone: str, new: str) -> str:
    if not use.is_array:
        return literal(new) if new else "NULL"
    column, kind = quoted(use.column), live.quoted
    if new:
        return f"array_replace({column}, {literal(gone)}::{kind}, {literal(new)}::{kind})"
    return f"array_remove({column}, {literal(gone)}::{kind})"
