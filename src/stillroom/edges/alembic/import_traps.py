"""What an error on import comes from, where its own words do not say it."""

from __future__ import annotations

import re
import sys
import traceback

from stillroom.edges.shadowing import find_shadow

DEFAULT = "correct the file; nothing was run"


def find_hint(error: BaseException) -> str:
    """Say what to change; the general sentence for an error that speaks for itself."""
    said = str(error)
    table = re.search(r"Table '([^']+)' is already defined for this MetaData", said)
    if table:
        return _two_definitions(table[1], error)
    column = re.search(r"Column object '([^']+)' already assigned to Table '([^']+)'", said)
    if column:
        return (
            f"the Column of {column[1]} in `sa_column=` is one object that several classes share; in a base class write "
            "`sa_type=` and `sa_column_kwargs=` instead, of which each table makes a Column of its own"
        )
    if isinstance(error, ValueError) and "has no matching SQLAlchemy type" in said:
        return "SQLModel knows no column for that type; name one: `Field(sa_type=JSONB)`, `Field(sa_type=ARRAY(Text))`"
    shadow = find_shadow(error) if isinstance(error, ImportError) else None
    if shadow:
        return f"{shadow[1]} has the name of the library {shadow[0]}, and is imported in its place; rename it"
    return DEFAULT


def _two_definitions(table: str, error: BaseException) -> str:
    """Tell a module that was imported under two names from two classes with one table."""
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        name, place = frame.f_globals.get("__name__", ""), frame.f_globals.get("__file__", "")
        last = name.rpartition(".")[2]
        loaded = list(sys.modules.items())
        twins = [each for each, module in loaded if getattr(module, "__file__", None) == place and each.endswith(last)]
        if not place.startswith("<") and set(twins) - {name}:
            names = sorted({name, *twins})
            return f"one file was imported under two names: {' and '.join(names)}; import it by one of them everywhere"
    return f"two classes name the table {table}: rename one, or import the module by one name everywhere"
