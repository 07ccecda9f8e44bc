"""Read a restored copy and compare it with what was backed up."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from stillroom.commands._watching import Reading, watching
from stillroom.core.copy_check import Compared, compare
from stillroom.core.session_options import with_session
from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.contents import read_contents
from stillroom.edges.postgres.event_triggers import is_silenced, read_event_triggers
from stillroom.edges.postgres.rows import comparing, count_rows

if TYPE_CHECKING:
    from stillroom.commands._copying import Archive, Copy
    from stillroom.commands._steps import Work
    from stillroom.core.contents import Contents, TableRows
    from stillroom.core.session_options import SessionSettings
    from stillroom.edges.child_body import Voice


def compare_copy(
    work: Work,
    name: str,
    rows: tuple[TableRows, ...],
    contents: Contents,
    *,
    has_rights: bool,
    schemas: tuple[str, ...] = (),
    session: SessionSettings = (),
    say: Voice,
) -> Compared:
    """Compare the rows (with their hashes, where there are any), the schema, sequences, large objects and rights.

    Args:
        work: Names the server.
        name: The database on it that holds the copy.
        rows: What was backed up.
        contents: What else was.
        has_rights: Owners and grants were restored.
        schemas: The only ones that were backed up; none for all.
        session: What it is read with, so that reading it changes nothing in it.
        say: Shows how far it is.

    Raises:
        DatabaseError: The server failed, or a table is not there.
    """
    hashes = any(each.hash for each in rows)
    tables = [(each.schema, each.name) for each in rows]
    reading = Reading("comparing", len(tables))
    with (
        closing(connect(with_session(work.target.url, session), command=work.command, database=name)) as connection,
        comparing(connection),
        watching(say, reading.lines),
    ):
        found = count_rows(connection, tables, hashes=hashes, tell=reading)
        here = read_contents(
            connection,
            version_table=work.project.layout.version_table,
            hashes=bool(contents.large_objects.hash),
            schemas=schemas,
        )
        compared = compare((rows, found), (contents, here), has_rights=has_rights)
        is_quiet = not compared.differences or is_silenced(session)
        return compared if is_quiet else replace(compared, fired=read_event_triggers(connection))


def compare_restored(work: Work, copy: Copy, rows: tuple[TableRows, ...], archive: Archive, say: Voice) -> Compared:
    """Compare the scratch database that an archive was restored into.

    Raises:
        DatabaseError: The server failed, or a table is not there.
    """
    return compare_copy(
        replace(work, target=copy.target),
        copy.target.url.name,
        rows,
        archive.contents,
        has_rights=copy.has_owners,
        schemas=archive.schemas,
        session=copy.session,
        say=say,
    )
