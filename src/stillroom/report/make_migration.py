"""`invoke make-migration` as text; the `git add` command is its last line."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stillroom.core.review import NOT_COMPARED
from stillroom.report.migrate import text as migrate_text

if TYPE_CHECKING:
    from stillroom.commands.make_migration import Discarded, MadeMigration, NothingChanged


def text(result: MadeMigration | NothingChanged | Discarded) -> str:
    """Say what became of it."""
    if hasattr(result, "database"):
        return f"{result.database}: the models and the database agree, no revision was made"
    if hasattr(result, "path"):
        return "\n".join(_made(cast("MadeMigration", result)))
    return f"discarded {result.revision} ({result.message}); no revision was made"


def _made(result: MadeMigration) -> list[str]:
    lines = [f"  {each.text}" for each in result.operations]
    lines.append(f"wrote {result.path}")
    if result.unreviewed:
        lines.append(f"not compared: {', '.join(NOT_COMPARED)}")
        lines.append("nobody has reviewed it, its first line says so; read it, then remove that line")
    if result.migrated is not None:
        lines.append(migrate_text(result.migrated))
    return [*lines, result.add_command]
