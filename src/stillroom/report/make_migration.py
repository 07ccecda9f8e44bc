"""`invoke make-migration` as text; the `git add` command is its last line."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stillroom.core.review import NOT_COMPARED, left_alone_lines
from stillroom.report.migrate import text as migrate_text

if TYPE_CHECKING:
    from stillroom.commands.make_migration import Discarded, MadeMigration, NothingChanged


def text(result: MadeMigration | NothingChanged | Discarded) -> str:
    """Say what became of it."""
    if hasattr(result, "database"):
        unchanged = cast("NothingChanged", result)
        last = f"{unchanged.database}: the models and the database agree, no revision was made"
        notes = [f"note:  {each}" for each in unchanged.notes]
        return "\n".join([*notes, *left_alone_lines(unchanged.left_alone), last])
    if hasattr(result, "path"):
        return "\n".join(_made(cast("MadeMigration", result)))
    return f"discarded {result.revision} ({result.message}); no revision was made"


def _made(result: MadeMigration) -> list[str]:
    lines = [f"  {each.text}" for each in result.operations]
    lines += [f"note:  {each}" for each in result.notes] + left_alone_lines(result.left_alone)
    lines.append(f"wrote {result.path}")
    if result.unreviewed:
        lines.append(f"not compared: {', '.join(NOT_COMPARED)}")
        lines.append("nobody has reviewed it, its first line says so; read it, then remove that line")
    if result.migrated is not None:
        lines.append(migrate_text(result.migrated))
    return [*lines, result.add_command]
