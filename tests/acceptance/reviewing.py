"""A person at a pseudo-terminal, and the editors they might have."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pexpect  # type: ignore[import-untyped]

from tests.servers import Project

TIMEOUT_S = 60
CHOICES = re.escape("[a]ccept, accept and [m]igrate, [e]dit, [d]iscard? ")
AGAIN = re.escape("[e]dit again, [d]iscard? ")


def start(project: Project, *arguments: str, task: str = "make-migration", **env: str) -> Any:
    """Run a task, `invoke make-migration`, in a terminal of its own."""
    environment = project.full_environment({"TERM": "xterm", "NO_COLOR": "1", "GIT_CONFIG_NOSYSTEM": "1", **env})
    child = pexpect.spawn(
        sys.executable,
        ["-m", "invoke", task, *arguments],
        cwd=str(project.path),
        env=environment,
        timeout=TIMEOUT_S,
        encoding="utf-8",
        dimensions=(50, 200),
    )
    child.setecho(False)
    return child


def finish(child: Any) -> tuple[int, str]:
    """Wait for the end; return the exit code and what was still printed."""
    child.expect(pexpect.EOF)
    child.close()
    return (
        child.exitstatus if child.exitstatus is not None else -child.signalstatus,
        child.before.replace("\r\n", "\n"),
    )


def make_editor(project: Project, body: str, *, name: str = "editor") -> str:
    """Write an editor in Python; `path` is the file, `text` what is in it."""
    script = project.path.parent / "my editors" / name
    script.parent.mkdir(exist_ok=True)
    head = f"#!{sys.executable}\nimport os, signal, sys, time\nfrom pathlib import Path\npath = Path(sys.argv[-1])\ntext = path.read_text()\n"
    script.write_text(head + body + "\n")
    script.chmod(0o755)
    return f"'{script}'"


def log_of(project: Project) -> Path:
    """Name a file beside the project that an editor may write to."""
    return project.path.parent / "editor.log"
