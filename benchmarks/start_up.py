"""`invoke --list` of the whole menu against `invoke --list` of a tasks file with one empty task (Invoke turns a file without any away)."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Contestant, race

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Measure and print."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    with tempfile.TemporaryDirectory() as name:
        empty, menu = Path(name, "empty"), Path(name, "menu")
        for folder, text in (
            (empty, "from invoke import task\n@task\ndef nothing(c):\n    pass\n"),
            (menu, "from stillroom.tasks import ns\n"),
        ):
            folder.mkdir()
            (folder / "tasks.py").write_text(text)
        command = [sys.executable, "-m", "invoke", "--list"]
        peer = Contestant("invoke --list, one empty task", command, empty, environment)
        race("start-up", peer, [Contestant("invoke --list, stillroom", command, menu, environment)], rounds=31)


if __name__ == "__main__":
    main()
