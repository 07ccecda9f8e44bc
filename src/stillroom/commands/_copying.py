"""A backup as a database again, for as long as a block lasts: on the same server, else on the embedded one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.commands._database import Target
from stillroom.commands._filling import OWNERS, Filling, fill
from stillroom.core.session_options import with_session
from stillroom.edges.postgres import databases
from stillroom.edges.postgres.connect import connect, is_busy
from stillroom.edges.postgres.leftovers import sweep_unfinished
from stillroom.edges.postgres.offer import read_offer
from stillroom.edges.postgres.scratch import made
from stillroom.errors import NotReadyError, RefusedError, StillroomError, ToolError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._steps import Work
    from stillroom.core.contents import Contents
    from stillroom.core.session_options import SessionSettings
    from stillroom.edges.backup_list import Backup
    from stillroom.edges.child_body import Voice

FULL = re.compile("too many (connections|clients)|remaining connection slots")
SAME_SERVER = "a scratch database on the same server"
ORDINARY_ROLE = "stillroom_copy"
ORDINARY = "connect as an ordinary role: code in a dump runs with the rights of whoever restores it"


class NoCopyError(RefusedError):
    """There is no server on which a copy could be made; nothing was tried."""


@dataclass(frozen=True)
class Archive:
    """A dump that can be restored.

    Args:
        dump: The folder that pg_restore reads.
        tool_version: The pg_dump that wrote it.
        size_bytes: Of its files.
        contents: What the database held.
        server_major: Of the server that it is from.
        name: What it is called in words.
        schemas: The only ones in it.
    """

    dump: Path
    tool_version: str
    size_bytes: int
    contents: Contents
    server_major: int
    name: str
    schemas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Copy:
    """A backup that is a database again.

    Args:
        target: The scratch database; its sessions have the settings that it could not be given itself.
        where: In words.
        is_shared: Others use that server, too: nothing that concerns all of it may be tried there.
        has_owners: Owners and grants are as they were.
        session: The settings with which reading it changes nothing in it.
    """

    target: Target
    where: str
    is_shared: bool
    has_owners: bool
    session: SessionSettings = ()


def archive_of(backup: Backup) -> Archive:
    """Describe a good backup as what can be restored."""
    manifest = backup.manifest
    assert manifest is not None, "a good backup has one"
    return Archive(
        dump=backup.dump,
        tool_version=manifest.tool_version,
        size_bytes=manifest.size_bytes,
        contents=manifest.contents,
        server_major=int(manifest.server_version.partition(".")[0]),
        name=f"the backup {backup.name}",
        schemas=manifest.schemas,
    )


@contextmanager
def restored_copy(work: Work, archive: Archive, say: Voice) -> Iterator[Copy]:
    """Restore a dump into a scratch database, and drop that at the end of the block.

    Args:
        work: About the database that the dump is of; nothing in that is touched.
        archive: The dump.
        say: Told where it is restored.

    Raises:
        NoCopyError: The role may not create a database there, and the embedded server does not fit.
        ToolError: pg_restore failed.
        DatabaseError: A server refused.
    """
    url = work.target.url
    with closing(_connect(work)) as admin:
        if databases.may_create(admin):
            sweep_unfinished(admin, say)
            with _filled(work, admin, archive, databases.read_database(admin, url.name), say) as copy:
                yield copy
            return
    with _on_embedded(work, archive, say) as copy:
        yield copy


def _connect(work: Work) -> Connection:
    """Open the session that makes the copy and stays as long as it does.

    Raises:
        NoCopyError: All places of the server, or of the role, are taken.
        DatabaseError: The server did not answer.
    """
    try:
        return databases.connect_beside_or_to(work.target.url, command=work.command)
    except NotReadyError as error:
        if not is_busy(error):
            raise
        raise NoCopyError(f"there is no connection left for a copy: {error.message}", hint=error.hint) from None


@contextmanager
def _filled(
    work: Work,
    admin: Connection,
    archive: Archive,
    model: databases.DatabaseState | None,
    say: Voice,
    *,
    where: str = SAME_SERVER,
) -> Iterator[Copy]:
    url, is_same = work.target.url, where == SAME_SERVER
    with made(url, admin, model, command=work.command) as name:
        if _runs_strange_code(admin, archive):
            if not work.target.is_embedded:
                raise NoCopyError(
                    f"{archive.name} is another server's, and this role is a superuser here", hint=ORDINARY
                )
            databases.give_to_ordinary_role(admin, name, ORDINARY_ROLE)
            url, is_same = replace(url, user=ORDINARY_ROLE), False
            work = replace(work, target=Target(url, is_embedded=True))
        order = Filling(
            name=archive.name,
            dump=archive.dump,
            tool_version=archive.tool_version,
            size_bytes=archive.size_bytes,
            into=name,
            keeps_owners=is_same,
            model=model,
            schemas=archive.schemas,
            settings=archive.contents.belongings.settings,
            rights=archive.contents.rights,
        )
        try:
            filled = fill(work, admin, order, say)
        except ToolError as error:
            if where != SAME_SERVER:
                # A collation, a provider, a library that the other server has: reading it is a proof as well.
                raise NoCopyError(
                    f"on the embedded server it could not be restored: {error.message}", hint=error.hint
                ) from None
            if FULL.search(error.message):
                raise NoCopyError(f"there is no connection left for a copy: {error.message}", hint=error.hint) from None
            if OWNERS.search(error.message):
                raise NoCopyError(
                    f"the copy needs rights that the role has not: {error.message}", hint=error.hint
                ) from None
            raise
        is_shared = where == SAME_SERVER and not work.target.is_embedded
        target = Target(replace(with_session(url, filled.lent), name=name), work.target.is_embedded)
        yield Copy(target, where, is_shared, filled.has_owners, filled.session)


@contextmanager
def _on_embedded(work: Work, archive: Archive, say: Voice) -> Iterator[Copy]:
    """Restore on the embedded server, which is stopped again when it did not run before."""
    from stillroom.edges.embedded import EmbeddedServer, find_binaries

    why = f"{work.target.shown}: the role may not create a scratch database there"
    settings = work.settings
    hint = f'let the role create databases, `ALTER ROLE "{work.target.url.user or "…"}" CREATEDB;`, or `--verify read`'
    try:
        binaries = find_binaries(settings.pg_bin)
        server = EmbeddedServer(settings.embedded_home, binaries=binaries, environment=settings.child_environment)
        is_ours = server.start() == "started"
    except StillroomError as error:
        raise NoCopyError(f"{why}, and the embedded server cannot run here: {error.message}", hint=hint) from None
    try:
        with closing(connect(server.url, command=work.command)) as admin:
            lack = _find_lack(admin, archive)
            if lack:
                raise NoCopyError(f"{why}, and the embedded PostgreSQL {binaries.version} {lack}", hint=hint)
            sweep_unfinished(admin, say)
            beside = replace(work, target=Target(server.url, is_embedded=True))
            where = f"a scratch database on the embedded PostgreSQL {binaries.version}"
            with _filled(beside, admin, archive, None, say, where=where) as copy:
                yield copy
    finally:
        if is_ours:
            server.stop()


def _runs_strange_code(admin: Connection, archive: Archive) -> bool:
    """Tell whether what is in the dump of another server would run with all rights on this one."""
    offer = read_offer(admin)
    return offer.is_superuser and archive.contents.origin.system_identifier != offer.system_identifier


def _find_lack(admin: Connection, archive: Archive) -> str:
    """Say why a dump does not fit this server; empty when it does."""
    offer, wanted = read_offer(admin), archive.contents.origin.encoding
    if offer.major < archive.server_major:
        return f"is older than {archive.server_major}"
    missing = [each.name for each in archive.contents.extensions if each.name not in offer.extensions]
    if missing:
        return f"has no extension {', '.join(missing)}"
    return f"has the encoding {offer.encoding}, not {wanted}" if wanted not in {"", offer.encoding} else ""
