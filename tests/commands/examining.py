"""What the tests of doctor do: examine a project, and pick what was found."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.commands.support import answer, database_of, query
from tests.servers import Project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Seen:
    """What doctor said.

    Args:
        code: Its exit code.
        findings: Severity, name, message and hint of each, in its order.
        stdout: All of it.
        stderr: The same.
    """

    code: int
    findings: tuple[tuple[str, str, str, str], ...]
    stdout: str
    stderr: str

    def names(self, *severities: str) -> list[str]:
        """The names of the findings of these severities, in their order."""
        return [name for severity, name, _, _ in self.findings if severity in severities]

    def of(self, name: str) -> tuple[str, str, str]:
        """Severity, message and hint of the one finding of this name."""
        found = [(severity, message, hint) for severity, each, message, hint in self.findings if each == name]
        assert len(found) == 1, (name, self.findings)
        return found[0]


def examine(project: Project, env: Mapping[str, str] | None = None) -> Seen:
    """Run doctor; every finding but "ok" and "info" has a hint, and the exit code follows the problems."""
    done = project.invoke("doctor", "--json", env=env)
    assert done.code in {0, 6}, done.stderr
    found = answer(done.stdout)["result"]["findings"]
    findings = tuple((each["severity"], each["name"], each["message"], each["hint"]) for each in found)
    seen = Seen(done.code, findings, done.stdout, done.stderr)
    assert all(hint for severity, _, _, hint in findings if severity in {"warning", "problem"})
    assert not any("\n" in message + hint for _, _, message, hint in findings)
    assert (done.code == 6) == bool(seen.names("problem"))
    return seen


@contextmanager
def role(project: Project, options: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Make a role that may log in, and yield its name and the environment that connects as it."""
    database = database_of(project)
    name = f"role_{database.name}"
    query(project, f"create role {name} login {options}")
    try:
        yield name, {"DATABASE_URL": database.url.replace(f"{database.server.superuser}@", f"{name}@")}
    finally:
        query(project, f"drop owned by {name}")
        query(project, f"drop role {name}")
