"""Questions to git that read and change nothing: no shell, no fetch, no program of the configuration, and a bound in time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stillroom.edges.programs import find_program

LOOK_FOR_S = 10.0
# A configured signature, text converter or file monitor would be somebody's program; a lazy fetch would be the network.
QUIET = ("-c", "log.showSignature=false", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
READ_ONLY = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "TZ": "UTC",
}


@dataclass
class Git:
    """Git in the project's folder; all questions of one object share its time.

    Args:
        root: The project's folder; paths are relative to it.
        environment: Git's own.
        seconds: How long all questions together may take.
        ran_out: They took longer.
        complaint: What git wrote on stderr, the last time.
    """

    root: Path
    environment: Mapping[str, str] = field(repr=False)
    seconds: float = LOOK_FOR_S
    ran_out: bool = False
    complaint: bytes = b""

    def __post_init__(self) -> None:
        """Find the program, and start the clock."""
        self._program = find_program("git", self.environment)
        self._give_up_at = time.monotonic() + self.seconds

    def find_problem(self) -> str:
        """Say why nothing can be asked here; empty when it can."""
        if self._program is None:
            return "git is not installed"
        if self.ask("rev-parse", "--is-inside-work-tree") != "true":
            if b"safe.directory" in self.complaint:
                return "git does not trust the owner of this folder (safe.directory)"
            return "git knows no repository here"
        return ""

    def is_shallow(self) -> bool:
        """Tell whether the history was cut when it was cloned."""
        return self.ask("rev-parse", "--is-shallow-repository") == "true"

    def ask(self, *arguments: str) -> str | None:
        """Ask, and return what was said without the last line break; None where git failed."""
        said = self.read(*arguments)
        return None if said is None else said.decode(errors="replace").strip("\n")

    def read(self, *arguments: str, data: bytes = b"") -> bytes | None:
        """Ask with something on stdin, and return the bytes; None where git failed, or the time is over."""
        left = self._give_up_at - time.monotonic()
        if self._program is None:
            return None
        try:
            done = subprocess.run(
                [self._program, "--no-pager", *QUIET, *arguments],
                cwd=self.root, env={**self.environment, **READ_ONLY}, input=data, capture_output=True,
                timeout=max(left, 0.01), check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            self.ran_out = True
            return None
        except OSError:
            return None
        self.complaint = done.stderr
        return done.stdout if done.returncode == 0 else None
