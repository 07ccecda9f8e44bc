"""A folder or file of the project that has a library's name, and is imported in its place."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

LIBRARIES = ("alembic", "sqlalchemy", "sqlmodel", "psycopg2", "dotenv", "pydantic")


def find_shadow(error: ImportError) -> tuple[str, str] | None:
    """Name the library, and what stands in its way; None for any other failed import."""
    library = (error.name or "").split(".")[0]
    module = sys.modules.get(library)
    if library not in LIBRARIES or module is None:
        return None
    place = getattr(module, "__file__", None)
    paths = [Path(place)] if place else [Path(each) for each in getattr(module, "__path__", [])]
    installed = {sysconfig.get_path(each) for each in ("purelib", "platlib")}
    theirs = [each for each in paths if not any(each.is_relative_to(one) for one in installed)]
    return (library, str(theirs[0])) if theirs else None
