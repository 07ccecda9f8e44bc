"""The ledger: `ledger`, `ledger.verify`, `ledger.accept`."""

from __future__ import annotations

from typing import Any

from invoke.context import Context
from invoke.tasks import task

from stillroom.cli import Command, enter
from stillroom.tasks.hints import is_about_all

FAMILY = "ledger"


@task(klass=Command, family=FAMILY, is_family=True, only_looks=True, help={"all": "All runs, and not the last 20."})
def show(c: Context, all: bool = False) -> Any:  # noqa: A002  (the name of the flag)
    """Show who ran what on this database, and when."""
    from stillroom.commands.ledger import show_ledger

    return show_ledger(*enter(c), everything=all)


@task(klass=Command, family=FAMILY, only_looks=True)
def verify(c: Context) -> Any:
    """Compare the ledger with the version table and the scripts; ends with 6 when they do not agree."""
    from stillroom.commands.ledger.verify import verify_ledger

    return verify_ledger(*enter(c))


@task(
    klass=Command,
    family=FAMILY,
    positional=[] if is_about_all() else ["revision"],
    help={
        "revision": "The applied revision whose present text is right.",
        "reason": "Why; it is entered in the ledger.",
        "all": "All edited ones that compile to the SQL that ran, as after a formatter.",
    },
)
def accept(c: Context, revision: str | None = None, reason: str = "", all: bool = False) -> Any:  # noqa: A002  (the name of the flag)
    """Accept the present text of an applied revision, with a reason that others will read."""
    from stillroom.commands.ledger.accept import accept_edits

    return accept_edits(*enter(c), revision=revision or "", reason=reason, everything=all)


TASKS = (show, verify, accept)
