"""The heads of the history: `heads`, `heads.merge`."""

from __future__ import annotations

from typing import Any

from invoke.context import Context
from invoke.tasks import task

from stillroom.cli import Command, enter

FAMILY = "heads"


@task(klass=Command, family=FAMILY, is_family=True, only_looks=True)
def show(c: Context) -> Any:
    """List the heads of the history; several with the chain to each, since their common ancestor."""
    from stillroom.commands.heads import show_heads

    return show_heads(*enter(c))


@task(
    klass=Command,
    family=FAMILY,
    short={"message": "m"},
    help={
        "message": "What the merge revision is called; default: the heads that it joins.",
        "reparent": "A revision of the side that comes last: its first one then follows the other head; no merge revision.",
        "onto": "With --reparent and more than two heads: the head that it is to follow.",
    },
)
def merge(c: Context, message: str = "", reparent: str = "", onto: str = "") -> Any:
    """Join several heads: by a merge revision, or by putting the side that is applied nowhere after the other."""
    from stillroom.commands.heads.merge import merge_heads

    return merge_heads(*enter(c), message=message, reparent=reparent, onto=onto)


TASKS = (show, merge)
