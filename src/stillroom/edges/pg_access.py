"""How pg_dump and pg_restore reach the database: an environment without secrets, a private file with the password."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.core.clear_text import KNOWS_REQUIRE_AUTH, bound, rule_of
from stillroom.core.libpq_environment import passfile_line, place_parameters, service_text
from stillroom.core.secrets import Secret
from stillroom.edges.auth_watch import watched
from stillroom.edges.backups import cure
from stillroom.edges.private_folder import private_folder
from stillroom.errors import ToolError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.urls import DatabaseUrl

SERVICE = "stillroom"


@dataclass(frozen=True)
class Reach:
    """Where the programs connect to, and what else they get.

    Args:
        url: The address of the database, one server of it.
        environment: What the programs get besides; no PG* in it.
        rule: The `require_auth` that is kept for them, because they are too old to know it; blank where none is needed.
    """

    url: DatabaseUrl
    environment: Mapping[str, str] = field(repr=False)
    rule: str = ""


def reach(
    url: DatabaseUrl, environment: Mapping[str, str], connection: Connection, *, major: int, database: str = ""
) -> Reach:
    """Point the programs to the very server of a connection: an exported snapshot is known nowhere else.

    Those too old for `require_auth` would give the password to whoever asks: over TLS that nobody verified they must
    bind the channel, and without TLS they go through a socket of ours.

    Args:
        url: The address as it was given, maybe with several hosts.
        environment: What the programs get besides.
        connection: Tells which host answered, whether with TLS, and whether there is a password.
        major: Of the programs.
        database: Another database of that server.
    """
    info = connection.info
    url = replace(url, name=database or url.name)
    if "," in url.host:
        options = tuple(each for each in url.options if each[0] != "hostaddr")
        url = replace(url, host=info.host, port=str(info.port), options=options)
    rule = rule_of(url) if major < KNOWS_REQUIRE_AUTH and info.password else ""
    if not rule:
        return Reach(url, environment)
    # A password file's line for the host is not found under the socket's folder.
    url = replace(url, password=Secret(info.password))
    return Reach(bound(url), environment) if info.ssl_in_use else Reach(url, environment, rule)


@contextmanager
def access(place: Reach, command: str) -> Iterator[dict[str, str]]:
    """Yield the environment for the programs; the password file lives as long as the block.

    Args:
        place: Where they connect to.
        command: The task, shown to the server's operators.

    Raises:
        ToolError: The private file cannot be written.
    """
    variables, others = place_parameters(place.url)
    # A dump has the database's encoding; English, because what the programs say is judged.
    variables.pop("PGCLIENTENCODING", None)
    variables |= {"LC_ALL": "C", "LANGUAGE": "", "PGAPPNAME": f"stillroom {command}"}
    with ExitStack() as stack:
        folder = Path()
        if place.url.password is not None or others or place.rule:
            try:
                folder = stack.enter_context(private_folder())
            except OSError as error:
                raise _no_room(tempfile.gettempdir(), error) from None
        if place.url.password is not None:
            variables["PGPASSFILE"] = _write(folder / "passfile", passfile_line(place.url.password))
        if others:
            variables["PGSERVICEFILE"] = _write(folder / "service", service_text(SERVICE, others))
            variables["PGSERVICE"] = SERVICE
        if place.rule:
            variables.pop("PGHOSTADDR", None)
            variables |= stack.enter_context(watched(place.url, place.rule, folder))
        yield {**place.environment, **variables}


def _write(path: Path, text: str) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor has no path
            stream.write(text)
    except OSError as error:
        raise _no_room(str(path.parent), error) from None
    return str(path)


def _no_room(folder: str, error: OSError) -> ToolError:
    return ToolError(f"{folder}: {error.strerror}", hint=f"{cure(error)}, or name another folder in TMPDIR")
