"""Our own process: what its death would leave lying about."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from types import TracebackType


def keep_memory_private() -> None:
    """Let no core file be written of this process and its children: the password would be in it."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def report_bugs_through(mask: Callable[[str], str]) -> None:
    """Let the traceback of a bug pass through mask before anybody sees it.

    Args:
        mask: Called with the whole text when it happens.
    """

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        import traceback

        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(mask("".join(traceback.format_exception(kind, error, trace))))

    sys.excepthook = show
