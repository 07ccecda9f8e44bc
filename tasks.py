"""This project's tasks: stillroom's menu, and the repository's own chores under `dev.`"""

from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from stillroom.tasks import ns

ROOT = Path(__file__).resolve().parent


@task
def refusals(_: Context) -> None:
    """Print docs/refusals.md from the guard's table."""
    from stillroom.core.guard import refusals_as_markdown

    (ROOT / "docs" / "refusals.md").write_text(refusals_as_markdown(), "utf-8")


@task
def ci(c: Context) -> None:
    """Run what a reviewer runs."""
    c.run("bash .ci/run", in_stream=False)


ns.add_collection(Collection("dev", refusals, ci))
