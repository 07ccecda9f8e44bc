"""Every error stillroom shows, with its exit code.

    StillroomError
    ├── SettingsError          2    settings that cannot be used; nothing was touched
    ├── RefusedError           3    understood, turned down; nothing was touched
    │   └── UnknownRevisionError
    ├── DatabaseError          4    the database refused, failed or did not answer
    │   ├── NotReadyError           the server is not there, starting, stopping, or full: worth another try
    │   ├── HeldError               another session has locked what is read: worth another try
    │   └── ConnectionLostError     the connection died under a step: only a look tells what became of it
    ├── ToolError              5    an outside program or the file system failed
    ├── AnswerNoError          6    a question answered with "no" (damaged backup, differences)
    ├── LockBusyError          7    another migration holds the lock and the wait ran out
    └── InterruptedRunError  130    Ctrl-C or a signal

Exit codes 0 (done, or nothing to do) and 1 (left to Invoke, and to bugs) have no class.
"""

from __future__ import annotations


class StillroomError(Exception):
    """A sentence about what is so, and the next command to type.

    Args:
        message: What is so, lower case; the thing comes first.
        hint: The next thing to type; required, because an error without one is a bug.
    """

    exit_code = 1
    kind = "error"

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return (_revive, (type(self), self.message, self.hint))


def _revive(cls: type[StillroomError], message: str, hint: str) -> StillroomError:
    """Make the error anew on the other side of a process border."""
    return cls(message, hint=hint)


class SettingsError(StillroomError):
    """Settings that cannot be used; nothing was touched."""

    exit_code = 2
    kind = "settings"


class RefusedError(StillroomError):
    """Understood and turned down; nothing was touched."""

    exit_code = 3
    kind = "refused"


class UnknownRevisionError(RefusedError):
    """A revision that is not in the history."""

    kind = "unknown-revision"


class DatabaseError(StillroomError):
    """The database refused, failed or did not answer."""

    exit_code = 4
    kind = "database"


class NotReadyError(DatabaseError):
    """The server is not there, starting, stopping, or full: another try may succeed."""


class HeldError(DatabaseError):
    """Another session has locked what is read: another try may succeed."""


class ConnectionLostError(DatabaseError):
    """The connection died while a step ran: whether it is applied is known only after another look."""


class ToolError(StillroomError):
    """An outside program or the file system failed."""

    exit_code = 5
    kind = "tool"


class AnswerNoError(StillroomError):
    """A question that was answered with no."""

    exit_code = 6
    kind = "no"


class LockBusyError(StillroomError):
    """Another migration holds the lock and the wait ran out."""

    exit_code = 7
    kind = "lock-busy"


class InterruptedRunError(StillroomError):
    """The run was interrupted; the message says how far it came."""

    exit_code = 130
    kind = "interrupted"
