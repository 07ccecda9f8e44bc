"""What a draft does: its file is run against nothing, outside of the versions folder."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from stillroom.edges.alembic.config import importing, make_config
from stillroom.edges.alembic.offline import Rendered, render_step
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

    from stillroom.core.layout import Layout


@dataclass(frozen=True)
class Shown:
    """Both directions of a draft.

    Args:
        upgrade: What it does.
        downgrade: What undoes it.
        problem: Why the file could not be run; empty when it could.
    """

    upgrade: Rendered
    downgrade: Rendered
    problem: str = ""


class _OneScript:
    """In the place of Alembic's script folder: the draft is every revision there is."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.doc = module, (module.__doc__ or "").strip()

    def get_revision(self, _: str) -> Any:
        """Answer with the draft."""
        return self


def show_draft(layout: Layout, path: Path, revision: str) -> Shown:
    """Run upgrade() and downgrade() of the file without a connection.

    Args:
        layout: The project; `prepend_sys_path` of its alembic.ini holds while the file is run.
        path: A file that compiles.
        revision: Its id.
    """
    sys.path[:0] = make_config(layout).get_prepend_sys_paths_list() or []
    module = ModuleType(f"draft_{revision}")
    module.__file__ = str(path)
    try:
        with importing():
            exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102  (what Alembic does with it)
    except RefusedError as error:
        nothing = Rendered(revision, "", "", ())
        return Shown(nothing, nothing, error.message)
    scripts = cast("ScriptDirectory", _OneScript(module))
    return Shown(render_step(scripts, revision, "upgrade"), render_step(scripts, revision, "downgrade"))


def run_write_hooks(layout: Layout, path: Path) -> str:
    """Run the `post_write_hooks` of alembic.ini, a formatter for instance, on the draft.

    Returns:
        What went wrong, or an empty string.
    """
    from alembic.script import write_hooks
    from alembic.util import CommandError

    hooks = make_config(layout).get_hooks_list()
    try:
        if hooks:
            write_hooks._run_hooks(str(path), hooks)
    except (CommandError, OSError) as error:
        return str(error).splitlines()[0]
    return ""
