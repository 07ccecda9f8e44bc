"""Alembic and SQLAlchemy, driven from inside: imported only by what runs or compares revisions."""

from __future__ import annotations

import sys
from typing import Any, cast

# Where Pygments is installed, Mako loads some eighty modules of it, for HTML pages that Alembic never makes; without, it
# goes on as if it were not installed. Where Mako is loaded already this changes nothing.
cast("dict[str, Any]", sys.modules).setdefault("mako.ext.pygmentplugin", None)
