"""Find pg_dump and pg_restore on this machine, and ask them what they are."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from stillroom.core.pg_tools import Tools
from stillroom.edges.embedded.binaries import system_folders, wheel_folders

PROGRAMS = ("pg_dump", "pg_restore")
PROBE_LIMIT_S = 60
WRAPPER = "pg_wrapper"  # Debian's Perl program, which chooses a version by itself and hides which


def find_tools(pg_bin: Path | None, environment: Mapping[str, str]) -> tuple[Tools, ...]:
    """List every folder that holds both programs, with its version.

    Args:
        pg_bin: The value of STILLROOM_PG_BIN; it comes first.
        environment: For the programs; its PATH is searched.
    """
    found: dict[Path, Tools] = {}
    bundled = {folder.resolve() for _, folder in wheel_folders()}
    for folder, source in _folders(pg_bin, environment):
        real = folder.resolve()
        if real not in found and all(os.access(real / program, os.X_OK) for program in PROGRAMS):
            found[real] = Tools(real, _ask_version(real, environment), source, has_tls=real not in bundled)
    return tuple(found.values())


def _folders(pg_bin: Path | None, environment: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    if pg_bin is not None:
        yield pg_bin, "STILLROOM_PG_BIN"
    for folder in system_folders():
        yield folder, "system"
    for text in environment.get("PATH", "").split(os.pathsep):
        program = Path(text, "pg_dump")
        if text.startswith("/") and program.exists() and program.resolve().name != WRAPPER:
            yield program.resolve().parent, "PATH"
    for module, folder in wheel_folders():
        yield folder, module


def _ask_version(folder: Path, environment: Mapping[str, str]) -> str:
    """Return the version; empty when the program does not run."""
    said = _run([str(folder / "pg_dump"), "--version"], environment)
    version = re.search(r"\(PostgreSQL\) (\d+(\.\d+)?)", said)
    return version[1] if version else ""


def has_zstd(tools: Tools, environment: Mapping[str, str]) -> bool:
    """Tell whether this pg_dump was built with zstd: it looks at its options before it connects anywhere."""
    if tools.major < 16:
        return False
    arguments = [str(tools.folder / "pg_dump"), "--format=custom", "--compress=zstd", f"--file={os.devnull}"]
    nowhere = {"PGHOST": "/nonexistent", "PGCONNECT_TIMEOUT": "1", "LC_ALL": "C"}
    return "compression" not in _run(arguments, {**environment, **nowhere})


def _run(arguments: list[str], environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            arguments, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=PROBE_LIMIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr
