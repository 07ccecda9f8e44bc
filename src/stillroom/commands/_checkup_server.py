"""Doctor's look at the server and the role: the way there, versions, programs, rights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stillroom.core.checkup import judge_open_schemas, judge_role
from stillroom.core.checkup_way import judge_libpq, judge_server, judge_tls, judge_tool, judge_way
from stillroom.core.findings import Finding, from_error
from stillroom.core.known_holes import from_number, read_version
from stillroom.edges.postgres import checkup
from stillroom.errors import ToolError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from stillroom.commands._checkup import Patient


def check_way(patient: Patient, cursor: Cursor) -> Iterator[Finding]:
    """Say whether a pooler stands between, whether the server can be written, and how sure we are whose it is."""
    info, settings = patient.connection.info, patient.ground.settings
    pid, cannot_write = checkup.read_way(cursor)
    is_direct = pid == info.backend_pid
    yield from judge_way(is_direct=is_direct, accepts_pooler=settings.pooler == "session", cannot_write=cannot_write)
    yield judge_tls(patient.database.url, uses_tls=info.ssl_in_use, is_protected=patient.standing.is_protected)


def check_versions(patient: Patient, _: Cursor) -> Iterator[Finding]:
    """Compare the versions of the server and of psycopg2's library with those that have known holes."""
    yield judge_server(from_number(patient.connection.info.server_version))
    yield judge_libpq(from_number(checkup.libpq_version()))


def check_tools(patient: Patient, _: Cursor) -> Iterator[Finding]:
    """Find the pg_dump that a backup of this server would use, and compare its version."""
    from stillroom.commands._backup import find_fitting_tools

    try:
        tools = find_fitting_tools(patient.ground.settings, patient.connection)
    except ToolError as error:
        yield from_error("pg-dump-missing", error)
        return
    yield from judge_tool(read_version(tools.version), str(tools.folder), f"postgresql-client-{tools.major}")


def check_session_settings(_: Patient, cursor: Cursor) -> Iterator[Finding]:
    """Name the settings of a migrating session that this server does not know; they are skipped there."""
    unknown = checkup.read_unknown_settings(cursor)
    if unknown:
        what = f"this server does not know {', '.join(unknown)}; a migration goes on without"
        yield Finding("info", "session-settings", what)


def check_role(patient: Patient, cursor: Cursor) -> Iterator[Finding]:
    """Say what the role lacks, what it has too much of, and what others may do in the schemas it looks in."""
    settings, is_protected = patient.ground.settings, patient.standing.is_protected
    others = settings.schemas if settings.says("STILLROOM_SCHEMAS") else ()
    yield from judge_role(checkup.read_role(cursor, others), is_protected=is_protected)
    yield from judge_open_schemas(checkup.read_open_schemas(cursor), is_protected=is_protected)
