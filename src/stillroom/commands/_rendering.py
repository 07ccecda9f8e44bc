"""Revisions rendered in a child: one that ends the process, or never returns, takes nothing of ours along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from stillroom.core.plan import Plan
from stillroom.edges.terminal import Terminal
from stillroom.errors import DatabaseError, InterruptedRunError, RefusedError, StillroomError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.alembic.offline import Rendered
    from stillroom.edges.child_body import Voice

# For the import of all revisions, and then for each of them.
LONGEST_S = 30.0
Render = Callable[[str, str], "Rendered"]
T = TypeVar("T")


@dataclass(frozen=True)
class _Noting(Terminal):
    """Shows nothing, and keeps what the child is at."""

    at: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Note the revision that is rendered now."""
        self.at.append(line)


def render_plan(work: Work, plan: Plan) -> tuple[Rendered, ...]:
    """Render each step of a plan.

    Raises:
        RefusedError: A revision does not import, ends the process, or takes too long.
        InterruptedRunError: A signal; nothing was touched.
    """
    from stillroom.edges.alembic.offline import with_locks

    return rendering(work, lambda render: with_locks(tuple(render(each, plan.direction) for each in plan.steps)))


def rendering(work: Work, body: Callable[[Render], T]) -> T:
    """Call body in a child with a function that renders one revision in one direction, and return its result.

    Raises:
        RefusedError: Raised by the body, a revision does not import, ends the process, or takes too long.
        InterruptedRunError: A signal; nothing was touched.
    """
    from stillroom.edges.alembic.offline import open_scripts, render_step
    from stillroom.edges.child import Ended, run_in_child

    def in_child(say: Voice) -> Any:
        def render(revision: str, direction: str) -> Rendered:
            say(f"{direction}() of {work.project.history.revisions[revision].path}")
            return render_step(scripts, revision, direction, metadata)

        say.pulse()
        try:
            scripts, metadata = open_scripts(work.project.layout)
            return body(render)
        except StillroomError as error:
            # Returned, so that what is raised out there is about the child itself.
            return error

    noting = _Noting(is_interactive=False)
    try:
        outcome = run_in_child(in_child, noting, command=work.command, longest_silence_s=LONGEST_S)
    except DatabaseError:
        raise _endless(noting) from None
    except InterruptedRunError:
        raise InterruptedRunError(
            "interrupted while the revisions were rendered; nothing was touched",
            hint=f"`invoke {work.command}` starts anew",
        ) from None
    if isinstance(outcome, Ended):
        raise _ended(noting, outcome.status)
    if isinstance(outcome, StillroomError):
        raise outcome
    found: T = outcome
    return found


def _ended(noting: _Noting, status: str) -> RefusedError:
    where = f"at {noting.at[-1]}" if noting.at else "as the revisions were imported"
    return RefusedError(
        f"the process that rendered the revisions {status}, {where}; nothing was touched",
        hint="take out what ends the process there, `os._exit` for instance",
    )


def _endless(noting: _Noting) -> RefusedError:
    where = noting.at[-1] if noting.at else "the import of the revisions"
    return RefusedError(
        f"{where} took over {LONGEST_S:.0f} s without a database, so it was stopped; nothing was touched",
        hint="look for an endless loop there, or for something it waits for",
    )
