"""Whether a backup fits the server that it shall be restored on: asked before anything is made there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.commands._backup import find_fitting_tools
from stillroom.core.archive import ArchiveError, needed_major
from stillroom.core.guard import Standing, is_allowed
from stillroom.edges.backup_list import read_header
from stillroom.edges.postgres.offer import read_offer
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg2.extensions import connection as Connection

    from stillroom.commands._steps import Work
    from stillroom.core.manifest import Manifest
    from stillroom.core.pg_tools import Tools
    from stillroom.edges.backup_list import Backup
    from stillroom.edges.postgres.databases import DatabaseState
    from stillroom.edges.postgres.offer import Offer

FOREIGN, UNKNOWN = "restore of another server's backup by a superuser", Standing(None, "")


def require_fit(
    work: Work,
    admin: Connection,
    backup: Backup,
    live: DatabaseState | None,
    *,
    keeps_owners: bool,
    allowed: frozenset[str],
) -> tuple[Tools, tuple[str, ...]]:
    """Compare what the backup needs with what is there.

    Args:
        work: Names the tools.
        admin: To the server.
        backup: A good one.
        live: The database that it is for.
        keeps_owners: Owners and grants shall be as they were.
        allowed: "untrusted": a backup of another server may be restored by a superuser.

    Returns:
        The tools that can read it, and what will not be as it was, in words.

    Raises:
        RefusedError: A role or an extension is missing here, the encoding is another one, it is no archive that can be read, or
            it comes from another server and would be restored by a superuser.
        ToolError: No pg_restore fits.
    """
    assert backup.manifest is not None, "only good backups are restored"
    manifest, name = backup.manifest, backup.name
    try:
        needed = needed_major(read_header(backup))
    except ArchiveError as error:
        hint = "use the stillroom that made it, or a newer one; `invoke backups` lists the others"
        raise RefusedError(f"{name}: {error}", hint=hint) from None
    contents = manifest.contents
    owners = {*contents.roles, *(each.owner for each in contents.rights)} if keeps_owners else set()
    offer = read_offer(admin, owners.union(contents.named_roles))
    _require_trust(name, manifest, offer, allowed)
    _require_roles(name, offer, contents.named_roles)
    if live and contents.origin.encoding not in {"", live.encoding}:
        encoding = contents.origin.encoding
        raise RefusedError(
            f"{name} is in {encoding}, and the database that it is for in {live.encoding}",
            hint=f"have an empty database made with `ENCODING '{encoding}' TEMPLATE template0`, then `--into <its name>`",
        )
    notes = (*_compare_majors(manifest, offer.major), *_require_extensions(name, manifest, offer))
    return find_fitting_tools(work.settings, admin, archive_version=str(needed), dump=backup.dump), notes


def _compare_majors(manifest: Manifest, here: int) -> tuple[str, ...]:
    if manifest.server_major <= here:
        return ()
    return (
        f"the backup is of PostgreSQL {manifest.server_major}, and this server is {here}: what it does not know makes the restore fail",
    )


def _require_trust(name: str, manifest: Manifest, offer: Offer, allowed: frozenset[str]) -> None:
    is_foreign = manifest.contents.origin.system_identifier != offer.system_identifier
    if offer.is_superuser and is_foreign and not is_allowed(FOREIGN, UNKNOWN, allowed):
        raise RefusedError(
            f"{name} comes from another server ({manifest.server}), and this role is a superuser here: code in it would run as one",
            hint=f"restore it as an ordinary role, or if you trust it: `invoke restore {name} --allow untrusted`",
        )


def how_to_make_roles(names: Iterable[str]) -> str:
    """Say what to type where policies or user mappings are for roles that are missing: none of those is left out.

    Without one policy of several, rows may be open to more readers than they were.
    """
    statements = " ".join(f"CREATE ROLE {_quoted(each)} NOLOGIN;" for each in names)
    return f"`{statements}`, then the same command again; no policy is left out, because rows may then be open to more readers"


def _require_roles(name: str, offer: Offer, named: tuple[str, ...]) -> None:
    unavoidable = [each for each in offer.missing_roles if each in named]
    if unavoidable:
        raise RefusedError(
            f"{name}: policies or user mappings in it are for {', '.join(unavoidable)}, and there is no such role here",
            hint=how_to_make_roles(offer.missing_roles),
        )
    if offer.missing_roles:
        first = _quoted(offer.missing_roles[0])
        raise RefusedError(
            f"{name}: {', '.join(offer.missing_roles)} own or may use something in it, and there is no such role here",
            hint=f"`CREATE ROLE {first};` for each, or `--no-owners`: all belongs to the role that is connected, without grants",
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _require_extensions(name: str, manifest: Manifest, offer: Offer) -> tuple[str, ...]:
    wanted, here = manifest.contents.extensions, offer.extensions
    missing = [f"{each.name} {each.version}" for each in wanted if each.name not in here]
    if missing:
        raise RefusedError(
            f"{name} needs the extension {', '.join(missing)}, which this server does not have",
            hint="install it on the server: `select * from pg_available_extensions` shows what is there",
        )
    return tuple(
        f"the extension {each.name} will be {here[each.name]}, and was {each.version}"
        for each in wanted
        if here[each.name] != each.version
    )
