"""Ask several tasks in one process, which is what makes a table of faults cheap."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.servers import Project

READING = ("status", "history", "heads", "check --heads", "migrate")
SCRIPT = """
import sys
from invoke.main import program
for words in sys.argv[1:]:
    program.run(["invoke", *words.split(), "--json"], exit=False)
"""


def ask(project: Project, *tasks: str, memory_mib: int = 0, timeout: float = 60) -> dict[str, dict[str, Any]]:
    """Run tasks after each other in one process, and return each one's JSON object by what was typed.

    Args:
        project: Where.
        tasks: Each as it is typed behind `invoke`.
        memory_mib: The most address space the process may have; 0 is no bound.
        timeout: The longest that all of them may take, in seconds.
    """
    bounds = ["bash", "-c", f'ulimit -v {memory_mib * 1024}; exec "$0" "$@"'] if memory_mib else []
    done = project.run(*bounds, sys.executable, "-c", SCRIPT, *tasks, timeout=timeout)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(tasks), done.stderr
    return dict(zip(tasks, answers, strict=True))


def refusal(answer: dict[str, Any]) -> str:
    """Return the message of an answer that must be a refusal with exit code 3."""
    assert not answer["ok"], answer
    assert answer["error"]["exit_code"] == 3, answer
    return str(answer["error"]["message"])
