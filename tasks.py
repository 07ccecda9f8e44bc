"""This project's tasks: stillroom's menu, and the repository's own chores under `dev.`"""

import sys
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


@task(help={"short": "The short form, as CI runs it."})
def faults(c: Context, short: bool = False) -> None:
    """Break servers, networks and processes under migrations, many times; docs/faults.md says what is proven."""
    rounds = "short" if short else "long"
    c.run(f"{sys.executable} -m pytest -n 4 tests/faults --fault-rounds {rounds}", in_stream=False, pty=False)


@task
def ci(c: Context) -> None:
    """Run what a reviewer runs."""
    c.run("bash .ci/run", in_stream=False)


ns.add_collection(Collection("dev", refusals, faults, ci))
