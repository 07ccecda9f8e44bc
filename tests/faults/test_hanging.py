"""Revisions that hang before their first statement, and ones that turn to the terminal: stopped or failed, no lock is left."""

from __future__ import annotations

import sys
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest

from tests.commands.support import HEAD, current, write_revision
from tests.servers import Project

FIRST = "aaaa00000001"
ENV_PY = "migrations/alembic/env.py"
LOOP = "import time\nwhile True: time.sleep(0.01)\n"
SHORT = {"STILLROOM_STATEMENT_TIMEOUT_MS": "200", "STILLROOM_LOCK_TIMEOUT_MS": "100"}


@pytest.mark.parametrize("place", ["revision", "env.py"])
def test_a_file_that_hangs_while_it_is_imported_is_stopped_by_the_process_outside(
    migrated: Project, place: str
) -> None:
    """F66: nothing of it has run yet, and the lock is held."""
    path = migrated.path / write_revision(migrated, FIRST, "pass")
    if place == "env.py":
        path = migrated.path / ENV_PY
    path.write_text(path.read_text().replace("\nfrom ", f"\n{LOOP}from ", 1))

    done = migrated.invoke("migrate", env=SHORT)

    assert done.code == 4, done.stderr
    assert "no statement began or ended for 10 s, so it was stopped" in done.stderr
    assert "look for an endless loop in the revision" in done.stderr
    assert current(migrated) == [HEAD]


@pytest.mark.parametrize("body", ["input()", "breakpoint()", "import getpass\ngetpass.getpass()"])
def test_a_revision_that_reads_from_the_terminal_finds_nothing_there(migrated: Project, body: str) -> None:
    """F57, F66: on a terminal as without one; it is not stopped as a background job with the locks held."""
    write_revision(migrated, FIRST, f"op.execute('create table half ()')\n{body}")

    code, seen = _in_terminal(migrated, "")

    assert code == 4, seen
    assert f"{FIRST} failed" in seen
    assert "it was rolled back" in seen
    assert current(migrated) == [HEAD]


def test_a_revision_may_print_on_a_terminal_that_stops_background_jobs(migrated: Project) -> None:
    """F57: `stty tostop`."""
    write_revision(migrated, FIRST, "print('hello from the step')\nopen('/dev/stderr', 'w').write('and again')")

    code, seen = _in_terminal(migrated, "stty tostop; ")

    assert code == 0, seen
    assert "hello from the step" in seen
    assert "and again" in seen
    assert current(migrated) == [FIRST]


def _in_terminal(project: Project, before: str) -> tuple[int | None, str]:
    """Run `migrate` on a terminal, as a shell with job control starts it: its code, and what was seen."""
    child = pexpect.spawn(
        "bash",
        ["-c", f"{before}{sys.executable} -m invoke migrate; exit $?"],
        cwd=str(Path(project.path)),
        env={**project.full_environment(), "TERM": "xterm", "NO_COLOR": "1"},
        encoding="utf-8",
        dimensions=(60, 200),
        timeout=25,
    )
    try:
        child.expect(pexpect.EOF)
        child.close()
    finally:
        child.close(force=True)
    return child.exitstatus, (child.before or "").replace("\r\n", "\n")
