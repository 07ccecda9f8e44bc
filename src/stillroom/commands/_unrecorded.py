"""Tables of the history in a database that has no revision recorded: told from the text of the files, none is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.edges.scripts import read_tables_made

if TYPE_CHECKING:
    from stillroom.commands._database import Project
    from stillroom.edges.postgres.tables import Tables


def find_made_tables(project: Project, there: Tables, *, is_strict: bool) -> tuple[str, ...]:
    """Name the tables that are there and that a revision makes, as "schema.table", sorted.

    Args:
        project: Its history and where its files lie.
        there: What the database has; without a table no file is read.
        is_strict: Count those made on a condition, and those in SQL, too.

    Raises:
        RefusedError: A revision file cannot be read, or does not parse.
    """
    if not there.names:
        return ()
    found = {
        f"{schema or there.schema}.{name}"
        for each in project.history.revisions.values()
        for schema, name in read_tables_made(project.layout, each.path, is_strict=is_strict)
    }
    return tuple(sorted(found & there.names))
