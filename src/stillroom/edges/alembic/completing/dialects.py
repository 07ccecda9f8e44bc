"""What Alembic reads from an older server and would write in words that only a newer one understands."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops

from stillroom.edges.alembic.completing.findings import flatten

NULLS = "postgresql_nulls_not_distinct"


def speak_plainly(_context: Any, upgrade: Any) -> None:
    """Leave out `NULLS DISTINCT`, which is what every server does anyway and 14 has no word for."""
    for operation in flatten(upgrade):
        back = getattr(operation, "_reverse", None)
        for each in (operation, back):
            if isinstance(each, ops.CreateUniqueConstraintOp | ops.CreateIndexOp):
                _forget(each.kw)
        if isinstance(operation, ops.DropTableOp) and back is not None:
            for item in back.columns:
                options = getattr(item, "dialect_options", {}) if not hasattr(item, "type") else {}
                if options and options["postgresql"].get("nulls_not_distinct") is False:
                    options["postgresql"]["nulls_not_distinct"] = None


def _forget(options: Any) -> None:
    if options.get(NULLS) is False:
        del options[NULLS]
