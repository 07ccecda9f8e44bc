"""What leaves through the door: results and errors as text or JSON, secrets masked, control characters shown."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stillroom.core.redact import Redactor
    from stillroom.errors import StillroomError

# Kept after the task: a bug's traceback is shown later still.
_redactor: ContextVar[Redactor | None] = ContextVar("redactor", default=None)


def know(redactor: Redactor) -> None:
    """Mask the secrets that this one knows, from now on."""
    _redactor.set(redactor)


def mask(text: str) -> str:
    """Mask the secrets of the settings, as far as they are known by now."""
    from stillroom.core.redact import Redactor

    return (_redactor.get() or Redactor()).mask(text)


def print_result(name: str, result: Any, *, is_json: bool) -> str:
    """Print what a task returned on stdout; what is somebody else's output is handed on as it is.

    Args:
        name: The task, as it is typed.
        result: Its value; None prints nothing as text.
        is_json: One object instead of text.

    Returns:
        Why it could not be written, as `write_result` says it; empty when it was.
    """
    from stillroom.report.values import changed

    is_verbatim = getattr(result, "is_verbatim", False)
    if is_json:
        from stillroom.report.json import result_as_json

        return _write(result_as_json(name, result if is_verbatim else changed(result, lambda text, _: mask(text))))
    if result is not None:
        from importlib import import_module

        report = import_module(f"stillroom.report.{name.replace('-', '_')}")
        text = report.text(result) if is_verbatim else mask(report.text(changed(result, _printable)))
        if text:
            return _write(text)
    return ""


def print_error(name: str, error: StillroomError, *, is_json: bool) -> None:
    """Print an error: a sentence and a hint on stderr, or one object on stdout."""
    from stillroom.core.printable import visible, visible_lines
    from stillroom.edges.terminal import Terminal

    message, hint = mask(error.message), mask(error.hint)
    if is_json:
        from stillroom.report.json import error_as_json

        _write(error_as_json(name, type(error)(message, hint=hint)))
    else:
        shown = visible(hint, keep="\n")  # some hints are lines to paste
        Terminal(is_interactive=False).show(f"error: {visible_lines(message)}\nhint:  {shown}")


def say(text: str) -> None:
    """Say one line on stderr."""
    from stillroom.edges.terminal import Terminal

    Terminal(is_interactive=False).say(mask(text))


def _printable(text: str, keep: str) -> str:
    """Escape, but mask before that: an escaped password would not be known any more."""
    from stillroom.core.printable import visible

    return text if text.isprintable() else visible(mask(text), keep=keep)


def _write(text: str) -> str:
    from stillroom.edges.streams import write_result

    problem = write_result(text)
    if problem:
        say(f"note:  the result could not be written to stdout: {problem}")
    return problem
