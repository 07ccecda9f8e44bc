"""What honest set-ups share: the tasks of a working day in one process, names in a hosts file, users without rights."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.asking import SCRIPT
from tests.faults.outside import require_program
from tests.servers import Project

# With a column in the models that no revision has yet; what is rolled back is that empty column.
WORKING_DAY = (
    "status", "migrate", "migrate", "make-migration -m nicknames", "backup-then-migrate", "check", "history",
    "rollback --yes", "migrate", "status --exit-code",
)  # fmt: skip
PASSWORD = "s3cret of the team"
KUBERNETES_UID = 12_345
"""A user id without an entry in /etc/passwd, as `runAsUser` gives."""


def change_models(project: Project) -> None:
    """Add a column that may be empty to the users."""
    path, line = project.path / "src/models/users.py", "    timezone: str"
    text = path.read_text()
    assert line in text
    path.write_text(text.replace(line, f"    nickname: str | None = Field(default=None, max_length=80)\n{line}"))


def do(project: Project, *tasks: str, prefix: Sequence[str] = (), timeout: float = 300) -> list[dict[str, Any]]:
    """Run tasks after each other in one process, without a terminal; each must end well.

    Args:
        project: Where, and with which environment.
        tasks: Each as it is typed behind `invoke`.
        prefix: What stands before the command line.
        timeout: The longest that all of them may take, in seconds.

    Returns:
        The result of each.
    """
    return [
        must_work(task, each)
        for task, each in zip(tasks, answers(project, *tasks, prefix=prefix, timeout=timeout), strict=True)
    ]


def answers(project: Project, *tasks: str, prefix: Sequence[str] = (), timeout: float = 300) -> list[dict[str, Any]]:
    """Run tasks as `do` does, and return each one's JSON object, whatever it says."""
    done = project.run(*prefix, sys.executable, "-c", SCRIPT, *tasks, timeout=timeout)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(tasks), done.stdout + done.stderr
    return found


def must_work(task: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the result of an answer that must be no refusal and no error."""
    assert answer["ok"], (task, answer)
    result = answer["result"]
    assert isinstance(result, dict)
    return result


def a_working_day(
    project: Project, *more: str, prefix: Sequence[str] = (), problems: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Change the models and run what a developer runs: a revision is made, backed up before, applied, undone, applied.

    Args:
        project: Where.
        more: Tasks to run afterwards.
        prefix: What stands before the command line.
        problems: The names of those that doctor sees here; an honest set-up has none.
    """
    change_models(project)
    results = do(project, *WORKING_DAY, *more, prefix=prefix)
    assert results[2]["applied"] == []
    assert [len(results[index]["plan"]["steps"]) for index in (7, 8)] == [1, 1]
    (examined,) = answers(project, "doctor", prefix=prefix)
    found = examined["result"]["findings"]
    assert [each["name"] for each in found if each["severity"] == "problem"] == list(problems), found
    return results


def with_hosts(project: Project, **addresses: str) -> list[str]:
    """Return what to write before a command so that it finds names in its /etc/hosts that nobody else sees."""
    unshare = require_program("unshare", package="util-linux")
    hosts = project.path.parent / "hosts"
    hosts.write_text(
        "".join(f"{address} {name}\n" for name, address in {"localhost": "127.0.0.1", **addresses}.items())
    )
    return in_mounts(unshare, f"mount --bind {shlex.quote(str(hosts))} /etc/hosts")


def read_only(folder: Path) -> list[str]:
    """Return what to write before a command so that it runs in a folder on a file system that cannot be written."""
    unshare = require_program("unshare", package="util-linux")
    return in_mounts(
        unshare, f"mount --bind {shlex.quote(str(folder))} /mnt && mount -o remount,bind,ro /mnt && cd /mnt"
    )


def in_mounts(unshare: str, script: str) -> list[str]:
    """Enter a mount namespace of our own, and change it."""
    flags = ["--mount"] if os.geteuid() == 0 else ["--mount", "--map-root-user"]
    return [unshare, *flags, "sh", "-c", f'{script} && exec "$@"', "sh"]


def without_rights() -> list[str]:
    """Return what to write before a command so that it runs as a user who may read all of this machine and write nothing.

    The interpreter and the checkout may lie in root's home, which an image's would not: hence the one capability.
    """
    setpriv = require_program("setpriv", package="util-linux")
    if os.geteuid() != 0:
        return []
    who = [f"--reuid={KUBERNETES_UID}", f"--regid={KUBERNETES_UID}", "--clear-groups"]
    return [setpriv, *who, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--no-new-privs"]
