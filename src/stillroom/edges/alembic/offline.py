"""A revision's operations and SQL, found by running its function against nothing."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext

from stillroom.core.locks import Lock, plan_locks
from stillroom.core.locks.modes import UNKNOWN
from stillroom.core.operations import Operation
from stillroom.edges.alembic.config import importing, load_scripts, make_config
from stillroom.edges.alembic.recording import recording
from stillroom.edges.interrupt import Interrupted

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

    from stillroom.core.layout import Layout
    from stillroom.core.plan import Plan


@dataclass(frozen=True)
class Rendered:
    """One step without a database.

    Args:
        revision: Its id.
        message: First line of its docstring.
        sql: What would be sent, a statement a line or more.
        operations: What it does.
        problem: Why it could not be rendered; empty when it could.
        is_missing: The file has no such function.
        locks: What it locks beside what the plan itself made.
    """

    revision: str
    message: str
    sql: str = field(metadata={"has_lines": True})
    operations: tuple[Operation, ...]
    problem: str = ""
    is_missing: bool = False
    locks: tuple[Lock, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Say whether the step does nothing."""
        return not self.operations and not self.problem


def render_plan(layout: Layout, plan: Plan) -> tuple[Rendered, ...]:
    """Render each step of a plan.

    Raises:
        RefusedError: A revision does not import.
    """
    scripts, metadata = open_scripts(layout)
    return with_locks(tuple(render_step(scripts, revision, plan.direction, metadata) for revision in plan.steps))


def with_locks(steps: tuple[Rendered, ...]) -> tuple[Rendered, ...]:
    """Add what each step locks; what cannot be rendered is not known to lock nothing else."""
    found = plan_locks(step.sql for step in steps)
    return tuple(
        replace(step, locks=(*locks, Lock("what cannot be shown", UNKNOWN, "")) if step.problem else locks)
        for step, locks in zip(steps, found, strict=True)
    )


class _Metadata:
    """What env.py hands to `stillroom.env.run`: the naming conventions are in it."""

    given: Any = None

    def run(self, _context: Any, metadata: Any, _options: dict[str, Any]) -> None:
        """Be called by `stillroom.env.run`."""
        self.given = metadata


def open_scripts(layout: Layout) -> tuple[ScriptDirectory, Any]:
    """Import the revisions, and what env.py imports: operations of the project's own are registered there.

    Returns:
        The revisions, and the models' metadata.

    Raises:
        RefusedError: One of them does not import.
    """
    found = _Metadata()
    config = make_config(layout, found)
    scripts = load_scripts(config)
    with importing(), EnvironmentContext(config, scripts, as_sql=True):
        scripts.run_env()
    return scripts, found.given


def render_step(scripts: ScriptDirectory, revision: str, direction: str, metadata: Any = None) -> Rendered:
    """Run upgrade() or downgrade() of one revision without a connection; metadata names what has no name."""
    script = scripts.get_revision(revision)
    assert script is not None
    message = (script.doc or "").split("\n")[0]
    if not callable(getattr(script.module, direction, None)):
        return Rendered(revision, message, "", (), f"it has no {direction}()", is_missing=True)
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql",
        # psycopg2's own style of parameters doubles each percent sign, which then is not what would be sent.
        dialect_opts={"paramstyle": "named"},
        opts={
            "as_sql": True,
            "output_buffer": buffer,
            "literal_binds": True,
            "transactional_ddl": True,
            "target_metadata": metadata,
        },
    )
    seen: list[Operation] = []
    problem = ""
    try:
        with redirect_stdout(sys.stderr), recording(context, seen):
            getattr(script.module, direction)()
    except Interrupted:
        raise
    except BaseException as error:  # (a revision is anybody's code; what it raised is shown)
        problem = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    sql = "\n".join(line for line in buffer.getvalue().strip().splitlines())
    return Rendered(revision, message, sql, tuple(seen), problem)
