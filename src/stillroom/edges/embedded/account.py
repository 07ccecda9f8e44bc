"""Which operating system user the server runs as: ours, or `nobody` for root, which PostgreSQL refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stillroom.errors import SettingsError, ToolError

UNPRIVILEGED = "nobody"
OWN_SERVER_HINT = "set DATABASE_URL to a server of yours"


@dataclass(frozen=True)
class Account:
    """The user the server runs as.

    Args:
        uid: Its user id.
        gid: Its group id.
        name: Its name; "" when the user id has no passwd entry.
        is_dropped: We are root and step down to it.
    """

    uid: int
    gid: int
    name: str
    is_dropped: bool

    def popen_options(self) -> dict[str, Any]:
        """Return what makes `subprocess` run a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_dropped else {}

    def can(self, *command: str) -> bool:
        """Say whether a command succeeds as this user.

        Raises:
            ToolError: We may not become this user.
        """
        try:
            done = subprocess.run(
                command, cwd="/", capture_output=True, check=False, timeout=60, **self.popen_options()
            )
        except OSError as error:
            if self.is_dropped and not _may_become(self):
                raise ToolError(f"root may not become {self.name} here: {error}", hint=OWN_SERVER_HINT) from error
            return False
        return done.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Say whether this user can reach what lies in a folder."""
        return self.can("/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder))

    def require_passwd_entry(self) -> None:
        """Refuse a user id without a name; initdb would stop at it.

        Raises:
            SettingsError: The user id has no passwd entry.
        """
        if not self.name:
            raise SettingsError(
                f"the user id {self.uid} has no entry in /etc/passwd, and PostgreSQL's initdb needs one",
                hint=f"run as a user that has one, or {OWN_SERVER_HINT}",
            )


def server_account() -> Account:
    """Choose the user the server runs as.

    Raises:
        SettingsError: Native Windows, or root on a system without the user `nobody`.
    """
    require_unix()
    import pwd

    uid = os.geteuid()
    if uid != 0:
        return Account(uid, os.getegid(), user_name(uid), is_dropped=False)
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise SettingsError(
            f"PostgreSQL does not run as root, and there is no user `{UNPRIVILEGED}` to run it as",
            hint=f"run as another user, or {OWN_SERVER_HINT}",
        ) from None
    return Account(entry.pw_uid, entry.pw_gid, UNPRIVILEGED, is_dropped=True)


def user_name(uid: int) -> str:
    """Return a user's name, "" when the user id has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def require_unix() -> None:
    """Refuse native Windows.

    Raises:
        SettingsError: This is native Windows.
    """
    if sys.platform == "win32":
        raise SettingsError("the embedded server does not run on native Windows", hint="use WSL, or set DATABASE_URL")


def _may_become(account: Account) -> bool:
    try:
        subprocess.run(["/bin/sh", "-c", ":"], cwd="/", check=True, timeout=60, **account.popen_options())
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
