"""Random SQLModel schemas, random changes of them, and rows that fit."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

HEAD = """
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlmodel import Field
"""
# name: annotation, options of Field, a default as Python, the SQL of a row's value, what existing rows may be filled with
TYPES: dict[str, tuple[str, str, str, Callable[[int], str], str]] = {
    "int": ("int", "", "5", str, "7"),
    "bigint": ("int", "sa_type=sa.BigInteger", "5", str, "7"),
    "text": ("str", "", "'a'", lambda row: f"'{row}'", "'x'"),
    "varchar": ("str", "max_length=30", "'a'", lambda row: f"'{row}'", "'x'"),
    "bool": ("bool", "", "False", lambda row: str(row % 2 == 0), "true"),
    "numeric": ("Decimal", "max_digits=9, decimal_places=2", "Decimal('1.50')", str, "2.5"),
    "float": ("float", "", "1.5", str, "2.5"),
    "date": ("date", "", "", lambda row: f"'2026-01-0{row}'", "current_date"),
    "stamp": ("datetime", "sa_type=sa.DateTime", "", lambda row: f"'2026-01-0{row} 01:02'", "now()"),
    "stamptz": ("datetime", "sa_type=sa.DateTime(timezone=True)", "", lambda row: f"'2026-01-0{row} 01:02+00'", "now()"),
    "uuid": ("UUID", "", "", lambda row: f"'00000000-0000-0000-0000-00000000000{row}'", "'00000000-0000-0000-0000-000000000009'"),
    "json": ("dict[str, Any]", "sa_type=pg.JSONB", "", lambda row: f"""'{{"a": {row}}}'""", "'{}'"),
    "bytes": ("bytes", "", "", lambda row: f"'\\\\x0{row}'", "''"),
    "tags": ("list[str]", "sa_type=pg.ARRAY(sa.Text)", "", lambda row: f"'{{a,{row}}}'", "'{}'"),
}  # fmt: skip
RETYPES = {
    "int": ["bigint", "text", "numeric", "float"],
    "bigint": ["int", "numeric", "text"],
    "text": ["varchar", "int", "numeric"],
    "varchar": ["text", "int"],
    "bool": ["int", "text"],
    "numeric": ["int", "float", "text"],
    "date": ["stamp", "stamptz", "text"],
    "stamp": ["stamptz", "date", "text"],
    "stamptz": ["stamp", "date"],
    "uuid": ["text"],
}
DISTINCT = ("int", "bigint", "text", "varchar", "uuid")
NAMES = ["alpha", "beta", "gamma", "delta", "user", "order", "Mixed", "with space"]
ROWS = (1, 2, 3)


@dataclass
class Column:
    """One column; an enum's name is its type."""

    kind: str
    is_nullable: bool = True
    has_default: bool = False
    has_server_default: bool = False
    is_unique: bool = False
    is_indexed: bool = False
    refers: str = ""


@dataclass
class Models:
    """A whole schema: tables with their columns, enum types with their members."""

    tables: dict[str, dict[str, Column]] = field(default_factory=dict)
    enums: dict[str, list[str]] = field(default_factory=dict)

    def source(self) -> str:
        """Write it as a module."""
        parts = [HEAD]
        for name, members in self.enums.items():
            parts.append(
                f"class {name.title()}(str, Enum):\n" + "".join(f"    {each} = '{each}'\n" for each in members)
            )
        for number, (table, columns) in enumerate(self.tables.items()):
            lines = [f"class T{number}(SQLModel, table=True):", f"    __tablename__ = {table!r}"]
            lines.append("    id: int | None = Field(default=None, primary_key=True)")
            lines += [f"    c{place}: {self._column(name, each)}" for place, (name, each) in enumerate(columns.items())]
            parts.append("\n".join(lines) + "\n")
        return "\n\n".join(parts)

    def _column(self, name: str, column: Column) -> str:
        if column.kind in self.enums:
            annotation, options, default = (
                column.kind.title(),
                "",
                f"{column.kind.title()}.{self.enums[column.kind][0]}",
            )
        else:
            annotation, options, default = TYPES[column.kind][:3]
        given = [options] if options else []
        more = [f'"name": {name!r}']
        if column.has_server_default and column.kind in self.enums:
            more.append(f'"server_default": {self.enums[column.kind][0]!r}')
        elif column.has_server_default and default:
            more.append(f'"server_default": sa.text({TYPES[column.kind][4]!r})')
        given.append(f"sa_column_kwargs={{{', '.join(more)}}}")
        given += ["unique=True"] if column.is_unique else []
        given += ["index=True"] if column.is_indexed else []
        given += [f"foreign_key={column.refers + '.id'!r}"] if column.refers else []
        if column.is_nullable:
            return f"{annotation} | None = Field(default=None, {', '.join(given)})"
        given = [f"default={default}", *given] if column.has_default and default else given
        return f"{annotation} = Field({', '.join(given)})"

    def rows(self) -> str:
        """Fill each table; what refers to another row comes last."""
        found = []
        for table, columns in self.tables.items():
            for row in ROWS:
                own = {name: each for name, each in columns.items() if not each.refers}
                names = ", ".join(f'"{name}"' for name in own)
                values = ", ".join(self._value(each, row) for each in own.values())
                found.append(
                    f'insert into "{table}" ({names}) values ({values})'
                    if own
                    else f'insert into "{table}" default values'
                )
        for table, columns in self.tables.items():
            found += [f'update "{table}" set "{name}" = id' for name, each in columns.items() if each.refers]
        return ";\n".join(found)

    def _value(self, column: Column, row: int) -> str:
        if column.kind in self.enums:
            members = self.enums[column.kind]
            return f"'{members[row % len(members)]}'"
        return "null" if column.is_nullable and row == ROWS[-1] else TYPES[column.kind][3](row)

    def fill(self, column: Column) -> str:
        """What existing rows may get."""
        return f"'{self.enums[column.kind][0]}'" if column.kind in self.enums else TYPES[column.kind][4]


@st.composite
def columns(draw: st.DrawFn, models: Models) -> Column:
    """Draw a column."""
    kind = draw(st.sampled_from([*TYPES, *models.enums]))
    is_nullable = draw(st.booleans())
    is_unique = kind in DISTINCT and draw(st.integers(0, 4)) == 0
    if kind == "int" and draw(st.booleans()) and models.tables:
        return Column(kind, refers=draw(st.sampled_from(list(models.tables))), is_indexed=draw(st.booleans()))
    has_default, has_server_default = (draw(st.booleans()) and not is_unique for _ in "ab")
    is_indexed = kind not in {"json", "tags"} and not is_unique and draw(st.integers(0, 3)) == 0
    return Column(kind, is_nullable, has_default, has_server_default, is_unique, is_indexed)


@st.composite
def schemas(draw: st.DrawFn) -> Models:
    """Draw a schema."""
    models = Models()
    for name in draw(st.lists(st.sampled_from(["mood", "size"]), max_size=2, unique=True)):
        models.enums[name] = draw(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=4, unique=True))
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)):
        models.tables[name] = {}
        for column in draw(st.lists(st.sampled_from(NAMES), max_size=5, unique=True)):
            models.tables[name][column] = draw(columns(models))
    return models


@dataclass
class Change:
    """Models before and after, and what would be asked."""

    before: Models
    after: Models
    rename: dict[str, str] = field(default_factory=dict)
    fill: dict[str, str] = field(default_factory=dict)
    replace: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Draw a schema and up to four changes of it."""
    before = draw(schemas())
    change = Change(before, deepcopy(before))
    for kind in draw(st.lists(st.sampled_from(list(MUTATIONS)), min_size=1, max_size=4)):
        MUTATIONS[kind](draw, change)
    return change


def _add_table(draw: Any, change: Change) -> None:
    after = change.after
    free = [each for each in NAMES if each not in after.tables and each not in change.before.tables]
    if free:
        name = draw(st.sampled_from(free))
        after.tables[name] = {
            each: draw(columns(after)) for each in draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
        }
        change.done.append(f"add table {name}")


def _drop_table(draw: Any, change: Change) -> None:
    tables = change.after.tables
    referred = {each.refers for one in tables.values() for each in one.values()}
    free = [each for each in tables if each not in referred and each in change.before.tables]
    if free and len(tables) > 1:
        name = draw(st.sampled_from(free))
        del tables[name]
        change.done.append(f"drop table {name}")


def _pick(draw: Any, change: Change, *, only_old: bool = False) -> tuple[str, str] | None:
    places = [
        (table, column)
        for table, columns_ in change.after.tables.items()
        for column in columns_
        if not only_old or change.before.tables.get(table, {}).get(column) == columns_[column]
    ]
    found: tuple[str, str] | None = draw(st.sampled_from(places)) if places else None
    return found


def _add_column(draw: Any, change: Change) -> None:
    table = draw(st.sampled_from(list(change.after.tables)))
    known = {*change.after.tables[table], *change.before.tables.get(table, {})}
    free = [each for each in NAMES if each not in known]
    if not free:
        return
    name = draw(st.sampled_from(free))
    column = draw(columns(change.after))
    if column.is_unique and not column.is_nullable:
        column.is_nullable = True
    change.after.tables[table][name] = column
    change.done.append(f"add {table}.{name}")


def _drop_column(draw: Any, change: Change) -> None:
    place = _pick(draw, change, only_old=True)
    if place:
        del change.after.tables[place[0]][place[1]]
        change.done.append(f"drop {place}")


def _retype(draw: Any, change: Change) -> None:
    place = _pick(draw, change, only_old=True)
    column = change.after.tables[place[0]][place[1]] if place else None
    if column is None or column.refers or column.is_unique or column.kind not in RETYPES:
        return
    column.kind = draw(st.sampled_from(RETYPES[column.kind]))
    change.done.append(f"retype {place} to {column.kind}")


def _flip(draw: Any, change: Change) -> None:
    place = _pick(draw, change, only_old=True)
    column = change.after.tables[place[0]][place[1]] if place else None
    if column is None or column.refers:
        return
    what = draw(st.sampled_from(["is_nullable", "is_indexed", "has_server_default", "is_unique"]))
    if what == "is_nullable" and column.is_nullable and column.is_unique:
        return
    if what == "is_indexed" and (column.kind in {"json", "tags"} or column.is_unique):
        return
    is_plain = (
        column.kind in DISTINCT and not column.is_indexed and column.is_nullable and not column.has_server_default
    )
    if what == "is_unique" and not (is_plain or column.is_unique):
        return
    if what == "has_server_default" and column.is_unique:
        return
    setattr(column, what, not getattr(column, what))
    change.done.append(f"flip {what} of {place}")


def _rename_column(draw: Any, change: Change) -> None:
    place = _pick(draw, change, only_old=True)
    if place is None or place[0] not in change.before.tables:
        return
    table, old = place
    known = {*change.after.tables[table], *change.before.tables[table]}
    free = [each for each in NAMES if each not in known and " " not in each]
    if free and " " not in old and " " not in table:
        new = draw(st.sampled_from(free))
        change.after.tables[table][new] = change.after.tables[table].pop(old)
        change.rename[f"{table}.{old}"] = new
        change.done.append(f"rename {place} to {new}")


def _rename_table(draw: Any, change: Change) -> None:
    tables = change.after.tables
    old = draw(st.sampled_from(list(tables)))
    free = [each for each in NAMES if each not in tables and each not in change.before.tables and " " not in each]
    is_same = set(change.before.tables.get(old, ())) == set(tables[old]) and " " not in old
    if not free or not is_same or any(each.startswith(f"{old}.") for each in change.rename):
        return
    new = draw(st.sampled_from(free))
    change.after.tables = {new if name == old else name: each for name, each in tables.items()}
    for columns_ in change.after.tables.values():
        for column in columns_.values():
            column.refers = new if column.refers == old else column.refers
    change.rename[old] = new
    change.done.append(f"table {old} renamed to {new}")


def _grow_enum(draw: Any, change: Change) -> None:
    for name, members in change.after.enums.items():
        free = [each for each in "ABCDEFG" if each not in members and each not in change.before.enums.get(name, [])]
        if free and draw(st.booleans()):
            members.insert(draw(st.integers(1, len(members))), draw(st.sampled_from(free)))
            change.done.append(f"grow {name}")


def _shrink_enum(draw: Any, change: Change) -> None:
    for name, members in change.after.enums.items():
        if len(members) > 1 and draw(st.booleans()):
            gone = members[-1]
            if gone in change.before.enums.get(name, []):
                members.remove(gone)
                change.replace[f"{name}.{gone}"] = members[0]
                change.done.append(f"take {gone} from {name}")


MUTATIONS: dict[str, Callable[[Any, Change], None]] = {
    "add table": _add_table,
    "drop table": _drop_table,
    "add column": _add_column,
    "drop column": _drop_column,
    "retype": _retype,
    "flip": _flip,
    "rename column": _rename_column,
    "rename table": _rename_table,
    "grow enum": _grow_enum,
    "shrink enum": _shrink_enum,
}
