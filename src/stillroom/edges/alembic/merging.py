"""A merge revision, as `alembic merge` makes one: an empty revision with several parents, rendered and not written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stillroom.core.messages import SLUG_LENGTH
from stillroom.edges.alembic.config import load_scripts, make_config
from stillroom.edges.alembic.template import render_template

if TYPE_CHECKING:
    from stillroom.core.layout import Layout
    from stillroom.core.operations import Operation


@dataclass(frozen=True)
class Merge:
    """A merge revision that exists in memory only.

    Args:
        text: The file.
        file_template: alembic.ini's.
        slug_length: alembic.ini's.
        created_at: Now, in UTC.
    """

    text: str
    file_template: str
    slug_length: int
    created_at: datetime


def render_merge(layout: Layout, revision: str, heads: tuple[str, ...], token: str) -> Merge:
    """Import the revisions, as Alembic does before it merges, and fill the project's template.

    Args:
        layout: The project.
        revision: The new id.
        heads: What it follows.
        token: Stands in the text where the message comes.

    Raises:
        RefusedError: A revision does not import.
        SettingsError: The template is missing or broken.
        ToolError: There is no room for a temporary file.
    """
    config = make_config(layout)
    scripts = load_scripts(config)
    now = datetime.now(UTC)
    text = render_template(
        layout, up_revision=revision, message=token, down_revision=heads, create_date=now, branch_labels=None,
        depends_on=None, upgrades=None, downgrades=None, imports="", config=config,
    )  # fmt: skip
    return Merge(text, scripts.file_template, scripts.truncate_slug_length or SLUG_LENGTH, now)


def read_operations(layout: Layout, revisions: Iterable[str]) -> Mapping[str, tuple[Operation, ...]]:
    """Run each upgrade against nothing, as a plan does, and say what it does; one that cannot be run says nothing.

    Raises:
        RefusedError: A revision does not import.
    """
    from stillroom.edges.alembic.offline import open_scripts, render_step

    scripts, metadata = open_scripts(layout)
    return {each: render_step(scripts, each, "upgrade", metadata).operations for each in revisions}
