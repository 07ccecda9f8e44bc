"""What a child of ours leaves behind when it is killed (K2)."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import os, signal, subprocess, sys
from stillroom.edges.child import run_in_child
from stillroom.edges.terminal import Terminal

def work(voice):
    print(subprocess.Popen(["sleep", "600"], process_group={group}).pid, file=open(sys.argv[1], "w"), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

print(run_in_child(work, Terminal(is_interactive=False), command="backup"))
"""


@pytest.mark.parametrize("group", [0, None], ids=["a group of its own", "the child's group"])
def test_a_program_that_the_parent_was_not_told_of_ends_with_the_child(tmp_path: Path, group: int | None) -> None:
    """The child is killed before it can tell; the program is found in its session."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(group=group), str(tmp_path / "pid")],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )

    program = Path("/proc", (tmp_path / "pid").read_text().strip(), "stat")
    assert "signal 9" in done.stdout, done
    until = time.monotonic() + 5
    while program.exists() and program.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < until, "it goes on"
        time.sleep(0.02)
