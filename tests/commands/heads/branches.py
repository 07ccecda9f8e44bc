"""Two developers' branches in a real git repository, each with a revision of its own."""

from __future__ import annotations

import subprocess

from tests.commands.support import write_revision
from tests.servers import Project

LEFT, RIGHT = "aaaa00000001", "bbbb00000001"


def git(project: Project, *args: str, author: str = "Ada") -> str:
    """Run git in the project, as somebody."""
    who = ["-c", f"user.name={author}", "-c", f"user.email={author}@example.com"]
    done = subprocess.run(["git", *who, *args], cwd=project.path, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(project: Project, message: str, *, author: str = "Ada") -> None:
    """Commit everything."""
    git(project, "add", "-A", author=author)
    git(project, "commit", "-q", "-m", message, author=author)


def begin(project: Project) -> None:
    """Put the project into git, on a branch `main`."""
    (project.path / ".gitignore").write_text(".stillroom/\n__pycache__/\n")
    git(project, "init", "-q", "-b", "main")
    commit(project, "start")


def add_on_branch(
    project: Project, branch: str, id_: str, upgrade: str, *, downgrade: str = "pass", author: str = "Ada"
) -> str:
    """Branch off what is checked out, add a revision there, and come back."""
    here = git(project, "branch", "--show-current")
    git(project, "switch", "-q", "-c", branch)
    path = write_revision(project, id_, upgrade, downgrade=downgrade, message=f"from {branch}")
    commit(project, f"add {id_}", author=author)
    git(project, "switch", "-q", here)
    return path
