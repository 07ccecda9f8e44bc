"""Make the data folder, and see whether the programs at hand can read the one that is there."""

from __future__ import annotations

import shutil
from pathlib import Path

from stillroom.edges.embedded.account import OWN_SERVER_HINT
from stillroom.edges.embedded.binaries import Binaries
from stillroom.edges.embedded.files import file_system
from stillroom.edges.embedded.logs import last_lines
from stillroom.edges.embedded.place import Place
from stillroom.edges.embedded.programs import Programs
from stillroom.edges.embedded.wire import SUPERUSER
from stillroom.errors import SettingsError, ToolError

BUILTIN_LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
"""From 17 on: needs nothing of the system, and upper() and lower() know more than ASCII."""


def major_on_disk(data: Path) -> int | None:
    """Return the major version that made a data folder; None when there is none, or we may not look."""
    try:
        return int((data / "PG_VERSION").read_text().split(".")[0])
    except (OSError, ValueError):
        return None


def require_same_major(place: Place, binaries: Binaries) -> None:
    """Refuse to start programs on the data of another major version.

    Raises:
        SettingsError: The majors differ; the message names both.
    """
    found = major_on_disk(place.data)
    if found is None or found == binaries.major:
        return
    raise SettingsError(
        f"{place.data} was made by PostgreSQL {found}, and the programs here are PostgreSQL {binaries.version}",
        hint=f"to keep the data, set STILLROOM_PG_BIN to the `bin` folder of a PostgreSQL {found} and type"
        f" `invoke backup`, then remove the folder and unset it; to start afresh: `rm -r '{place.data}'`",
    )


def make_cluster(place: Place, programs: Programs, *, major: int, is_durable: bool) -> None:
    """Make the data folder under another name and rename it: a half-made one never looks ready.

    Raises:
        SettingsError: The user has no passwd entry.
        ToolError: initdb failed.
    """
    if place.data.exists():
        if major_on_disk(place.data) is not None:
            return
        hint = f"`rm -r '{place.data}'` if it is not needed"
        raise ToolError(f"{place.data} is no data folder of PostgreSQL", hint=hint)
    programs.account.require_passwd_entry()
    draft = place.base / "data.new"
    locales = [BUILTIN_LOCALE] if major >= 17 else [("--locale=C.UTF-8",), ("--locale=C",)]
    failure = ""
    for locale in locales:
        shutil.rmtree(draft, ignore_errors=True)  # left by a run that was killed
        options = ["-U", SUPERUSER, "-A", "trust", "-E", "UTF8", *locale, *([] if is_durable else ["-N"])]
        done = programs.run("initdb", "-D", str(draft), *options)
        if done.returncode == 0:
            with file_system(place.base):
                draft.rename(place.data)
            return
        failure = done.stderr.strip() or done.stdout.strip()
    shutil.rmtree(draft, ignore_errors=True)
    hint = f"mend what it names, or {OWN_SERVER_HINT}"
    raise ToolError(f"initdb could not make {place.data}:\n{last_lines(failure)}", hint=hint)
