"""What the tests of the embedded server share: homes that are cleaned up, and the script in another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stillroom.edges.embedded import EmbeddedServer, find_binaries

SCRIPT = Path(__file__).with_name("server_script.py")
IS_ROOT = os.geteuid() == 0
USERS = ["root", "nobody"] if IS_ROOT else ["me"]
"""As root both are tried: root, who steps down by itself, and a user without rights."""


def open_server(home: Path, **options: Any) -> EmbeddedServer:
    """Return the server of a home, for this process."""
    given = {"binaries": find_binaries(None), "environment": dict(os.environ), "is_durable": False, **options}
    return EmbeddedServer(home, **given)


@dataclass(frozen=True)
class Actor:
    """A user who drives the server of a home from other processes."""

    home: Path
    user: str = "me"
    options: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)

    def spawn(self, *actions: str) -> subprocess.Popen[str]:
        """Start the script and do not wait."""
        who = ["--user", self.user] if self.user == "nobody" else []
        command = [sys.executable, str(SCRIPT), str(self.home), *who, *self.options, *actions]
        return subprocess.Popen(
            command, env={**os.environ, **self.env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def act(self, *actions: str) -> list[dict[str, Any]]:
        """Run the script to its end and return what each action printed; stderr must stay empty."""
        return read_answers(self.spawn(*actions))


def read_answers(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Wait for the script and return its answers."""
    stdout, stderr = process.communicate(timeout=120)
    assert stderr == ""
    return [json.loads(line) for line in stdout.splitlines()]
