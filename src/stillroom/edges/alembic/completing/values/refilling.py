"""A column that goes, and its way back: what its rows get, and the constraints that went with it, as far as rows allow.

Source: PostgreSQL documentation, "ALTER TABLE": a column that is dropped takes indexes and constraints along that name it; a
CHECK constraint NOT VALID looks at no row.
"""

from __future__ import annotations

from typing import Any

import psycopg2
from alembic.operations import ops
from psycopg2 import sql

from stillroom.core.fillers import find_candidates, find_distinct, is_constant
from stillroom.edges.alembic.completing.findings import ddl_of, findings_of, flatten, shown
from stillroom.edges.alembic.completing.operations import (
    DropFilledColumnOp,
    Filling,
    StatementOp,
    Way,
    live_names,
)
from stillroom.edges.alembic.completing.values.attached import Attached, read_attached
from stillroom.edges.alembic.completing.values.defaults import text_of
from stillroom.edges.alembic.completing.values.looking import looking
from stillroom.edges.alembic.completing.values.setting_aside import take
from stillroom.edges.alembic.completing.values.uniqueness import (
    is_one_of_its_own,
    is_part_of_one,
    makes_values,
    needs_value,
)
from stillroom.edges.alembic.enums import is_enum

GONE = "the values are gone: each row gets {}"
CANNOT = "the values are gone, and nothing can be put in their place: the column stays nullable"
UNCHECKED = "{} comes back NOT VALID: rows may break it; VALIDATE it when they are put right"
LOST = "{} does not come back, because rows may break it; it was: {}"


def settle_dropped(context: Any, upgrade: Any) -> None:
    """Say for each column that goes what its rows get on the way back, and bring its constraints back there."""
    drops = [each for each in flatten(upgrade) if isinstance(each, ops.DropColumnOp)]
    if not drops:
        return
    places = {(each.schema, *live_names(upgrade, each)): each for each in drops}
    attached = read_attached(context.connection, places)
    values: dict[tuple[str | None, str, str], Filling] = {}
    for place, drop in places.items():
        mine = [each for each in attached if place in each.places]
        values[place] = _settle(context.connection, upgrade, drop, (place[2], mine))
    restored = []
    for each in attached:
        near = [place for place in places if place[:2] == (each.schema, each.table) and place[2] in each.columns]
        if not near or each.kind not in {"c", "x"}:
            continue
        _, made = take(upgrade, each, str(places[near[0]].table_name))
        upgrade.ops.extend([] if made is None else [made])
        fits = _comes_back(context.connection, each, near, (places[near[0]], values))
        restored.append(_restoring(findings_of(context), each, fits=fits))
    upgrade.ops[:0] = restored


def _settle(connection: Any, upgrade: Any, drop: Any, known: tuple[str, list[Attached]]) -> Filling:
    """Put a drop that fills on its way back in the place of one that would fail there; return what rows hold then."""
    column, (name, attached) = drop.to_column(), known
    default = column.server_default
    own = "" if default is None or makes_values(column) else text_of(default)
    if makes_values(column) or not (needs_value(column) or (own and _may_not_repeat(column, name, attached))):
        return Filling(own)
    filling = _filling(connection, column, name, attached)
    for table in [each for each in upgrade.ops if isinstance(each, ops.ModifyTableOps) and drop in each.ops]:
        table.ops[table.ops.index(drop)] = DropFilledColumnOp.make(drop, filling)
    return filling


def _may_not_repeat(column: Any, name: str, attached: list[Attached]) -> bool:
    equal = any((name, "=") in each.operators for each in attached)
    return equal or is_part_of_one(column) or is_one_of_its_own(column) or any(each.is_unique for each in attached)


def _filling(connection: Any, column: Any, name: str, attached: list[Attached]) -> Filling:
    ddl = ddl_of(column.type)
    labels = tuple(str(each) for each in column.type.enums) if is_enum(column.type) else ()
    checks = [each for each in attached if each.kind == "c" and each.columns == (name,)]
    is_excluded = any(each.kind == "x" and (name, "=") not in each.operators for each in attached)
    if column.foreign_keys or is_excluded:
        return Filling("", remark=CANNOT)
    if _may_not_repeat(column, name, attached):
        value = "" if labels else find_distinct(ddl)
        return Filling(value, is_distinct=True, remark=GONE.format("one of its own") if value else CANNOT)
    candidates = find_candidates(ddl, labels, tuple(each.expression for each in checks))
    fitting = [value for value in candidates if all(_fits(connection, each, name, (value, ddl)) for each in checks)]
    value = next(iter([*fitting, *candidates]), "")
    return Filling(
        value, is_constant=bool(value) and is_constant(value), remark=GONE.format(value) if value else CANNOT
    )


def _comes_back(connection: Any, each: Attached, near: list[Any], drops: tuple[Any, dict[Any, Filling]]) -> bool:
    """Say whether a constraint fits what all rows hold on the way back."""
    drop, values = drops
    if each.kind == "x":
        return all(name in dict(each.operators) for _, _, name in near)
    if each.columns != (near[0][2],):
        return False
    value = values[near[0]].value or "NULL"
    return _fits(connection, each, near[0][2], (value, ddl_of(drop.to_column().type)))


def _fits(connection: Any, check: Attached, name: str, value: tuple[str, str]) -> bool:
    """Ask the server whether a CHECK takes a value, for the first rows where each gets another one."""
    form = (
        "select coalesce(pg_catalog.bool_and(coalesce(({}), true)), false) "
        "from (select ({})::{} as {} from pg_catalog.generate_series(1, 20) as numbers (n)) as filled"
    )
    query = sql.SQL(form).format(sql.SQL(check.expression), *map(sql.SQL, value), sql.Identifier(name))
    with looking(connection) as cursor:
        try:
            cursor.execute(query)
            return bool(cursor.fetchone()[0])
        except psycopg2.Error:
            return False


def _restoring(findings: Any, each: Attached, *, fits: bool) -> StatementOp:
    place, remark = shown(each.schema, each.table), ""
    statements: tuple[str, ...] = (each.create,)
    kind = "CHECK constraint" if each.kind == "c" else "EXCLUDE constraint"
    if not fits and each.kind == "c":
        remark = UNCHECKED.format(f"{kind} {each.name}")
        statements = (each.create.removesuffix(" NOT VALID") + " NOT VALID",)
    elif not fits:
        remark, statements = LOST.format(f"{kind} {each.name}", " ".join(each.definition.split())), ()
    if remark:
        findings.note(f"{place}, on the way back: {remark}")
    # PostgreSQL drops no column that an EXCLUDE computes with.
    computes = each.kind == "x" and {name for name, _ in each.operators} != set(each.columns)
    gone = Way((each.drop,) if computes else (), f"drop_constraint {each.name} on {place}, with its column")
    back = Way(statements, f"create_constraint {each.name} on {place}", remark=remark)
    return StatementOp("drop_constraint", gone, back, table=each.table)
