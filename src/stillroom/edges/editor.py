"""The editor: found before it is started, given the terminal, and waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from stillroom.core.editors import add_wait_flag, split_command
from stillroom.edges.programs import find_program
from stillroom.errors import ToolError

ENDS_WITHIN_S = 5.0


@dataclass(frozen=True)
class Edited:
    """How an editor ended.

    Args:
        status: Its exit code; negative for a signal.
        is_interrupted: Ctrl-C ended it, or the terminal was closed.
    """

    status: int
    is_interrupted: bool


def resolve_editor(text: str, environment: Mapping[str, str]) -> list[str]:
    """Find the program of an editor's command line.

    Args:
        text: As in EDITOR: a program with arguments, or the path of a program with blanks in it.
        environment: Its PATH is searched.

    Raises:
        ToolError: There is no such program, or the text cannot be read.
    """
    try:
        words = [text] if os.path.isfile(text) else split_command(text)  # noqa: PTH113
    except ValueError as error:
        raise ToolError(f"the editor's command cannot be read: {text!r} ({error})", hint=_HINT) from None
    program = find_program(words[0], environment)
    if program is None:
        raise ToolError(f"the editor {words[0]!r} is no program here", hint=_HINT)
    return add_wait_flag([program, *words[1:]])


_HINT = "set VISUAL or EDITOR, for instance `export EDITOR=nano`; `invoke make-migration --no-edit` opens none"


def run_editor(command: list[str], path: Path, environment: Mapping[str, str]) -> Edited:
    """Open the file and wait until the editor has ended.

    Ctrl-C belongs to the editor while it runs: it may mean something there. A closed terminal ends it.

    Raises:
        ToolError: It cannot be started.
    """
    seen: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        seen.append(number)

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        process = subprocess.Popen([*command, str(path)], env=dict(environment))
        status = _wait(process, seen)
    except OSError as error:
        raise ToolError(f"{command[0]} cannot be started: {error.strerror}", hint=_HINT) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    is_told = any(number != signal.SIGINT for number in seen)
    is_ended_by_key = status in (-signal.SIGINT, 128 + signal.SIGINT) or (bool(seen) and status != 0)
    return Edited(status, is_told or is_ended_by_key)


def _wait(process: subprocess.Popen[bytes], seen: list[int]) -> int:
    """Wait; pass on that the terminal is gone, and do not wait for ever then."""
    kill_at = None
    while True:
        try:
            return process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            told = [number for number in seen if number != signal.SIGINT]
            if told and kill_at is None:
                process.send_signal(told[0])
                kill_at = time.monotonic() + ENDS_WITHIN_S
            elif kill_at is not None and time.monotonic() > kill_at:
                process.kill()
