"""The embedded server: one PostgreSQL below the project's folder, for development and tests."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stillroom.core.sockets import PORT
from stillroom.edges.embedded import process
from stillroom.edges.embedded.account import server_account
from stillroom.edges.embedded.binaries import Binaries
from stillroom.edges.embedded.cluster import major_on_disk, make_cluster, require_same_major
from stillroom.edges.embedded.files import is_private, locked
from stillroom.edges.embedded.launching import Manner, require_time, start_process
from stillroom.edges.embedded.place import find_place, make_home, make_place
from stillroom.edges.embedded.programs import prepare_programs
from stillroom.edges.embedded.state import ServerState
from stillroom.edges.embedded.wire import MISSING_DATABASE, NOT_YET, SUPERUSER, Greeting, greet, run_statement

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

DATABASE = "todo_chatbot"


class EmbeddedServer:
    """A PostgreSQL that any process of the same user starts, finds and stops; it outlives the process that started it.

    Args:
        home: Its folder; made when it is missing.
        binaries: The programs to run.
        environment: For the server's processes; what would mislead them is taken out.
        is_durable: Write to the disk as PostgreSQL promises; tests do without.
        dies_with_parent: Stop when this process dies (Linux).

    Raises:
        SettingsError: Native Windows, or root without a user `nobody`.
        ToolError: home belongs to another user.
    """

    def __init__(
        self,
        home: Path,
        *,
        binaries: Binaries,
        environment: Mapping[str, str],
        is_durable: bool = True,
        dies_with_parent: bool = False,
    ) -> None:
        self.binaries = binaries
        self._environment = environment
        self._manner = Manner(is_durable, dies_with_parent)
        self._account = server_account()
        self._place = find_place(home, self._account)

    @property
    def home(self) -> Path:
        """The folder the project gave."""
        return self._place.home

    @property
    def base(self) -> Path:
        """The folder data and log lie in: home, or one below /var/tmp."""
        return self._place.base

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self._place.data

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._place.log

    @property
    def socket(self) -> Path:
        """The folder of the socket."""
        return self._place.socket

    @property
    def url(self) -> DatabaseUrl:
        """The address of the database the tasks use."""
        from stillroom.core.urls import DatabaseUrl

        return DatabaseUrl(host=str(self.socket), port=PORT, user=SUPERUSER, password=None, name=DATABASE)

    def state(self) -> ServerState:
        """Look at the server; changes nothing."""
        greeting = self._greet()
        is_running = greeting is not None and greeting.code in {"", MISSING_DATABASE}
        return ServerState(
            is_running=is_running,
            pid=process.find_postmaster(self.data),
            version=(greeting.version if greeting else "") or self.binaries.version,
            data=self.data,
            data_major=major_on_disk(self.data),
            socket=self.socket,
            log=self.log,
            runs_as=self._account.name or str(self._account.uid),
            note=self._place.note(self._account),
        )

    def start(self, *, timeout_s: float = 60) -> Literal["started", "attached"]:
        """Make sure that the server runs and that its database is there.

        Args:
            timeout_s: The longest wait for the server to take connections, a crash recovery included.

        Raises:
            SettingsError: The data folder is another major version's, or the user has no passwd entry.
            ToolError: A folder or a program failed; the server's last words are in the message.
            DatabaseError: The server runs, but did not let the database be made.
        """
        if self._is_answering():
            return "attached"
        deadline = time.monotonic() + timeout_s
        make_home(self.home)
        with locked(self.home):
            self._place = make_place(self.home, self._account)
            how: Literal["started", "attached"] = "attached"
            # A server in another container shares the folders but not the process numbers: its socket answers.
            if process.find_postmaster(self.data) is None and self._greet() is None:
                self._start_process(deadline)
                how = "started"
            if self._await_answer(deadline).code == MISSING_DATABASE:
                run_statement(self.socket, f'CREATE DATABASE "{DATABASE}"')
        return how

    def stop(self, *, mode: process.StopMode = "fast") -> bool:
        """Stop the server; False when it was not running.

        Args:
            mode: "smart" waits for every client to leave, "fast" ends their sessions, "immediate" leaves a recovery.

        Raises:
            ToolError: It did not stop within a minute.
        """
        if process.find_postmaster(self.data) is None:
            return False
        with locked(self.home):
            pid = process.find_postmaster(self.data)
            if pid is None:
                return False
            process.end_postmaster(self.data, pid, mode)
            with suppress(OSError):  # not empty: something else is in use there
                self.socket.rmdir()
            return True

    def _greet(self) -> Greeting | None:
        """Ask the socket; one in a folder of somebody else is not ours to believe."""
        return greet(self.socket, DATABASE) if is_private(self.socket, self._account) else None

    def _is_answering(self) -> bool:
        greeting = self._greet()
        return greeting is not None and greeting.is_ready

    def _await_answer(self, deadline: float) -> Greeting:
        """Wait until the server lets a connection in or says why not."""
        while True:
            greeting = self._greet()
            if greeting is not None and greeting.code not in NOT_YET:
                return greeting
            require_time(self._place, deadline)
            time.sleep(process.PAUSE_S)

    def _start_process(self, deadline: float) -> None:
        """Make the data folder when it is missing, and start the server on it."""
        programs = prepare_programs(self.binaries, self._account, self._environment)
        require_same_major(self._place, self.binaries)
        make_cluster(self._place, programs, major=self.binaries.major, is_durable=self._manner.is_durable)
        start_process(self._place, programs, manner=self._manner, deadline=deadline)
