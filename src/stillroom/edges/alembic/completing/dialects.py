"""What Alembic reads from an older server and would write in words that only a newer one understands."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops
from sqlalchemy import Identity

from stillroom.edges.alembic.completing.findings import flatten
from stillroom.edges.alembic.completing.operations import ChangeIdentityOp
from stillroom.edges.alembic.completing.places import altered, changed_tables

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


def drop_tables_last(_context: Any, upgrade: Any) -> None:
    """Drop a table after the columns and constraints of others that refer to it."""
    gone = [each for each in upgrade.ops if isinstance(each, ops.DropTableOp)]
    upgrade.ops[:] = [*(each for each in upgrade.ops if each not in gone), *gone]


def keep_identity(_context: Any, upgrade: Any) -> None:
    """Carry the old kind of an identity column into the file, both ways."""
    for table in changed_tables(upgrade):
        for at, each in enumerate(table.ops):
            if type(each) is ops.AlterColumnOp and _changes_identity(each):
                known = ("existing_type", "existing_nullable", "existing_server_default")
                table.ops[at] = altered(ChangeIdentityOp, each, *known, "modify_nullable", "modify_server_default")


def _changes_identity(change: Any) -> bool:
    both = (change.existing_server_default, change.modify_server_default)
    return change.modify_server_default is not False and any(isinstance(each, Identity) for each in both)


def _forget(options: Any) -> None:
    if options.get(NULLS) is False:
        del options[NULLS]
