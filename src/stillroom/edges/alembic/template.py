"""Render script.py.mako, the project's own template of a revision."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError, format_as_comma, template_to_file
from mako.exceptions import MakoException  # type: ignore[import-untyped]

from stillroom.core.revision_ids import require_safe_id
from stillroom.edges.backups import cure
from stillroom.edges.terminal import Terminal
from stillroom.errors import RefusedError, SettingsError, ToolError

if TYPE_CHECKING:
    from stillroom.core.layout import Layout


def render_template(layout: Layout, **values: Any) -> str:
    """Fill the template and return the text.

    Raises:
        SettingsError: The template is missing or broken.
        ToolError: There is no room for a temporary file.
    """
    template = layout.script_location / "script.py.mako"
    hint = "compare it with the one `alembic init` makes in an empty folder"
    if not os.access(template, os.R_OK):
        raise SettingsError(f"{template.name} cannot be read", hint=hint)
    try:
        with tempfile.TemporaryDirectory(prefix="stillroom-") as folder:
            page = Path(folder, "revision.py")
            template_to_file(template, page, "utf-8", comma=format_as_comma, **values)
            return page.read_text("utf-8").replace("\r\n", "\n")
    except (CommandError, MakoException) as error:
        said = str(error).strip().splitlines()[0]
        raise SettingsError(f"{template.name} cannot be rendered: {said}", hint=hint) from None
    except OSError as error:
        what = f"a temporary file cannot be written: {error.strerror}"
        raise ToolError(what, hint=f"{cure(error)}, or name another folder in TMPDIR") from None


def checked_id(revision: str) -> str:
    """Be the filter of script.py.mako that lets no unsafe id through: plain `alembic` takes any `--rev-id`.

    Alembic hides what a template raises in a file, so the reason is said here.

    Raises:
        RefusedError: The id could lead out of the folder, or be more than an id in SQL.
    """
    try:
        require_safe_id(revision, "--rev-id")
    except RefusedError as error:
        Terminal(is_interactive=False).say(f"\nerror: {error.message}\nhint:  {error.hint}")
        raise
    return revision


class Pages:
    """In the place of Alembic's script folder: revisions come back as text, no file is written.

    Args:
        layout: The project.
        scripts: The real script folder.
        head: What the new revision follows.
        created_at: Its time, in UTC.
    """

    def __init__(self, layout: Layout, scripts: Any, *, head: str | None, created_at: datetime) -> None:
        self.layout, self.scripts = layout, scripts
        self.values = {"branch_labels": None, "depends_on": None, "down_revision": head, "create_date": created_at}

    def get_revisions(self, ids: Any) -> Any:
        """Answer as the script folder does."""
        return self.scripts.get_revisions(ids)

    def generate_revision(self, revid: str, message: str, **given: Any) -> str:
        """Render script.py.mako."""
        known = {key: each for key, each in given.items() if key not in {"refresh", "head", "splice", "version_path"}}
        return render_template(self.layout, up_revision=revid, message=message, **{**known, **self.values})
