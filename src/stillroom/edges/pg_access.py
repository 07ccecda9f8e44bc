"""How pg_dump and pg_restore reach the database: an environment without secrets, a private file with the password."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.core.libpq_environment import passfile_line, place_parameters, service_text
from stillroom.edges.backups import cure
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
    """

    url: DatabaseUrl
    environment: Mapping[str, str] = field(repr=False)


def reach(url: DatabaseUrl, environment: Mapping[str, str], connection: Connection, *, database: str = "") -> Reach:
    """Point the programs to the very server of a connection: an exported snapshot is known nowhere else.

    Args:
        url: The address as it was given, maybe with several hosts.
        environment: What the programs get besides.
        connection: Tells which host answered.
        database: Another database of that server.
    """
    name = database or url.name
    if "," not in url.host:
        return Reach(replace(url, name=name), environment)
    options = tuple(each for each in url.options if each[0] != "hostaddr")
    info = connection.info
    return Reach(replace(url, name=name, host=info.host, port=str(info.port), options=options), environment)


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
    folder = None
    try:
        folder = Path(_make_private_folder())
        if place.url.password is not None:
            variables["PGPASSFILE"] = _write(folder / "passfile", passfile_line(place.url.password))
        if others:
            variables["PGSERVICEFILE"] = _write(folder / "service", service_text(SERVICE, others))
            variables["PGSERVICE"] = SERVICE
        yield {**place.environment, **variables}
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _make_private_folder() -> str:
    try:
        return tempfile.mkdtemp(prefix="stillroom-tools-")  # 0700
    except OSError as error:
        raise _no_room(tempfile.gettempdir(), error) from None


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
