"""The one door out: results become text or JSON, errors become a sentence, a hint and an exit code.

Everything is imported where it is used, so that `invoke --list` loads nothing but Invoke.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

from invoke.exceptions import Exit
from invoke.tasks import Task

if TYPE_CHECKING:
    from pathlib import Path

    from invoke.context import Context

    from stillroom.edges.terminal import Terminal
    from stillroom.errors import StillroomError
    from stillroom.settings import Settings

JSON_HELP = "Print one JSON object on stdout and nothing else there; never ask."
SELDOM_OBJECTS = 100_000
_is_json: ContextVar[bool] = ContextVar("is_json", default=False)


class Command(Task[Any]):
    """An Invoke task whose value is printed and whose errors are sentences.

    It adds `--json`, honours `inv --dry`, takes no automatic short flags (they steal `-h`), and ends the process with
    the documented exit code.

    Args:
        short: The one-letter flag of a parameter, where it has one.
        family: What stands before the dot in its name: "server" of `server.start`.
        is_family: The family's name alone is its name: `ledger`.
        only_looks: Its answer is all that it does: one that a full disk took is a failure.
    """

    def __init__(
        self,
        body: Callable[..., Any],
        *,
        short: dict[str, str] | None = None,
        family: str = "",
        is_family: bool = False,
        only_looks: bool = False,
        **options: Any,
    ) -> None:
        self.short = short or {}
        self.family = family
        self.is_family = is_family
        self.only_looks = only_looks
        options["auto_shortflags"] = False
        if "allow" in inspect.signature(body).parameters:
            # Dangers behind one flag, or each behind its own.
            options["iterable"] = [*(options.get("iterable") or ()), "allow"]
        options["help"] = {**(options.get("help") or {}), "json": JSON_HELP}
        super().__init__(body, **options)

    def argspec(self, body: Callable[..., Any]) -> inspect.Signature:
        """Read the body's parameters and add `--json`."""
        spec = super().argspec(body)
        json = inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False)
        return spec.replace(parameters=[*spec.parameters.values(), json])

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Name the flag, with its one-letter form where it has one."""
        options = super().arg_opts(name, default, taken_names)
        if name in self.short:
            options["names"].append(self.short[name])
        return options

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body, print its value, and return it.

        Raises:
            Exit: The documented exit code is not 0.
        """
        from stillroom.edges.streams import open_missing_streams

        open_missing_streams()
        token = _is_json.set(bool(kwargs.pop("json", False)))
        try:
            return _answer(self, lambda: super(Command, self).__call__(*args, **kwargs), args[0])
        finally:
            _is_json.reset(token)


def enter(c: Context) -> tuple[Settings, Terminal]:
    """Load the settings, open the terminal, and say what is worth saying about the settings.

    Raises:
        SettingsError: The settings cannot be used.
    """
    from stillroom.answers import know
    from stillroom.edges.terminal import open_terminal
    from stillroom.settings import load

    settings = load(_start(c))
    redactor = settings.redactor
    know(redactor)
    terminal = open_terminal(
        is_ci=settings.is_ci, is_json=_is_json.get(), no_color=settings.no_color, redactor=redactor
    )
    for note in settings.notes:
        terminal.say(f"note:  {note}")
    return settings, terminal


def _start(c: Context) -> Path | None:
    """Begin where the tasks were found when `invoke -r` fetched them from elsewhere; None is the current folder."""
    from pathlib import Path

    found = getattr(c.config, "_project_prefix", None)
    if not found:
        return None
    folder, here = Path(found).resolve(), Path.cwd()
    return None if here == folder or folder in here.parents else folder


def _collect_seldom() -> None:
    """Look for garbage in cycles less often: a fifth of the time of importing SQLAlchemy went into that."""
    import gc

    if 0 < gc.get_threshold()[0] < SELDOM_OBJECTS:
        gc.set_threshold(SELDOM_OBJECTS)


def _collect_no_more() -> None:
    """Leave what is there to the end of the process, which would look through it once more before it lets it go."""
    import gc

    gc.freeze()


def _answer(task: Command, work: Callable[[], Any], c: Context) -> Any:
    from stillroom.answers import mask, print_result, say
    from stillroom.edges.interrupt import ignore_signals, restore_handlers, set_handlers
    from stillroom.edges.process import keep_memory_private, report_bugs_through
    from stillroom.edges.streams import CLOSED
    from stillroom.errors import InterruptedRunError, StillroomError, ToolError

    name = _name_of(task)
    keep_memory_private()
    report_bugs_through(mask)
    # Invoke switches byte code off for the whole process: every run would compile every module, model and revision anew.
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    _collect_seldom()
    before = set_handlers(_stop)
    try:
        result = None if c.config.run.dry else work()
    except InterruptedRunError as error:
        before = {}
        ignore_signals()
        _fail(name, error)
    except StillroomError as error:
        _fail(name, error)
    except ImportError as error:
        _fail(name, _shadowed(error))
    except KeyboardInterrupt:
        before = {}
        ignore_signals()
        # Steps run in a child, which reports by itself; here nothing was under way.
        _fail(
            name,
            InterruptedRunError(
                "interrupted; no revision was under way", hint="`invoke status` shows where the database stands"
            ),
        )
    finally:
        restore_handlers(before)
        _collect_no_more()
    if c.config.run.dry:
        say(f"dry run: `invoke {name}` was not run, nothing was touched")
    problem = print_result(name, result, is_json=_is_json.get())
    if problem and problem != CLOSED and task.only_looks:
        raise Exit(code=ToolError.exit_code)
    code = getattr(result, "exit_code", 0)
    if code:
        raise Exit(code=code)
    return result


def _shadowed(error: ImportError) -> StillroomError:
    """Name the file of the project that is imported in the place of a library.

    Raises:
        ImportError: It is something else.
    """
    from stillroom.edges.shadowing import find_shadow
    from stillroom.errors import RefusedError

    found = find_shadow(error)
    if found is None:
        raise error
    library, place = found
    return RefusedError(
        f"{place} has the name of the library {library}, and is imported in its place", hint="rename it"
    )


def _stop(*_: object) -> NoReturn:
    """Let SIGTERM and SIGHUP end a task as Ctrl-C does: what is open is closed, what is temporary is removed."""
    raise KeyboardInterrupt


def _name_of(task: Command) -> str:
    """The name a person types: `server.start` for a task of the server family."""
    if task.is_family:
        return task.family
    name = task.name.replace("_", "-")
    return f"{task.family}.{name}" if task.family else name


def _fail(name: str, error: StillroomError) -> NoReturn:
    from stillroom.answers import print_error

    print_error(name, error, is_json=_is_json.get())
    raise Exit(code=error.exit_code)
