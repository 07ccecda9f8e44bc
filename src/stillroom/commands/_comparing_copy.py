"""Read a restored copy and compare it with what was backed up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from stillroom.core.copy_check import Compared, compare
from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.contents import read_contents
from stillroom.edges.postgres.rows import comparing, count_rows

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.core.contents import Contents, TableRows


def compare_copy(
    work: Work,
    name: str,
    rows: tuple[TableRows, ...],
    contents: Contents,
    *,
    has_rights: bool,
    schemas: tuple[str, ...] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Compared:
    """Compare the rows (with their hashes, where there are any), the schema, sequences, large objects and rights.

    Args:
        work: Names the server.
        name: The database on it that holds the copy.
        rows: What was backed up.
        contents: What else was.
        has_rights: Owners and grants were restored.
        schemas: The only ones that were backed up; none for all.
        tell: Told the table that is read now.

    Raises:
        DatabaseError: The server failed, or a table is not there.
    """
    hashes = any(each.hash for each in rows)
    tables = [(each.schema, each.name) for each in rows]
    with closing(connect(work.target.url, command=work.command, database=name)) as connection, comparing(connection):
        found = count_rows(connection, tables, hashes=hashes, tell=tell)
        here = read_contents(
            connection,
            version_table=work.project.layout.version_table,
            hashes=bool(contents.large_objects.hash),
            schemas=schemas,
        )
    return compare((rows, found), (contents, here), has_rights=has_rights)
