"""Types in a revision: plain ones of SQLAlchemy, so that the file works without the application that made it."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path
from typing import Any

from alembic.autogenerate.render import _repr_type
from sqlalchemy import types

from stillroom.edges.alembic.completing.findings import ddl_of
from stillroom.edges.alembic.completing.named import Named
from stillroom.edges.alembic.completing.texts import dialect
from stillroom.edges.alembic.enums import is_enum, render_enum

MOST_LAYERS = 8
ABSTRACT = (types.TypeEngine, types.UserDefinedType, types.TypeDecorator)


def render_item(kind: str, item: Any, context: Any) -> str | bool:
    """Be Alembic's `render_item` hook: False leaves the rendering to Alembic."""
    if kind != "type":
        return False
    if is_enum(item):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return render_enum(item)
    if _is_of(type(item), "sqlalchemy"):
        return False
    plain = plain_type(item)
    if plain is not item:
        return str(_repr_type(plain, context))
    if isinstance(item, types.UserDefinedType) and _is_application(item):
        return _define(item, context)
    context.imports.add(f"import {type(item).__module__}")
    return False


def plain_type(item: Any) -> Any:
    """Find the type of SQLAlchemy that makes the same column; the type itself when there is none."""
    inner = item
    for _ in range(MOST_LAYERS):
        if not isinstance(inner, types.TypeDecorator):
            break
        inner = inner.load_dialect_impl(dialect())
    for base in type(inner).__mro__:
        if not _is_public(base):
            continue
        try:
            plain = inner if base is type(inner) else inner.adapt(base)
        except (TypeError, NotImplementedError):
            continue
        if ddl_of(plain) == ddl_of(item):
            return plain
    return item


def _is_public(base: type) -> bool:
    """Say whether a revision may name it: a type of SQLAlchemy's that is not only there to be inherited from."""
    is_type = issubclass(base, types.TypeEngine) and base not in ABSTRACT
    return is_type and _is_of(base, "sqlalchemy") and not base.__name__.startswith("_")


def _is_of(kind: type, package: str) -> bool:
    return kind.__module__.split(".")[0] == package


def _is_application(item: Any) -> bool:
    """Tell a type of the project's own from one of an installed library, which a revision may import."""
    place = getattr(sys.modules.get(type(item).__module__), "__file__", None) or ""
    installed = {sysconfig.get_path(each) for each in ("purelib", "platlib", "stdlib")}
    return not any(Path(place).is_relative_to(each) for each in installed)


def _define(item: Any, context: Any) -> str:
    """Write a type that is nothing but a name of the server's into the file."""
    ddl = ddl_of(item)
    name = "".join(re.findall(r"\w+", ddl.title())) if isinstance(item, Named) else type(item).__name__
    # One line: what reads the head of a revision stops at the first class.
    spec = f'{{"get_col_spec": lambda self, **kw: {ddl!r}}}'
    context.imports.add(f'{name} = type("{name}", (sa.types.UserDefinedType,), {spec})')
    return f"{name}()"
