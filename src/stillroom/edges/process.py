"""Our own process: what its death would leave lying about."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

_mask: Callable[[str], str] = str


class _Masking(io.TextIOBase):
    """A stream whose text passes through the mask; what is asked of it besides is the inner stream's."""

    def __init__(self, inner: TextIO) -> None:
        self._inner = inner

    def write(self, text: str) -> int:
        self._inner.write(_mask(text))
        return len(text)

    def flush(self) -> None:
        self._inner.flush()

    def fileno(self) -> int:
        return self._inner.fileno()

    def isatty(self) -> bool:
        return self._inner.isatty()


def mask_what_revisions_say() -> None:
    """Let what anybody prints, logs or warns from now on pass through the mask: a revision may know the URL."""
    sys.stdout = _Masking(sys.stdout)
    sys.stderr = _Masking(sys.stderr)


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

    global _mask  # noqa: PLW0603  (one process, one set of secrets)
    _mask = mask

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        import traceback

        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(mask("".join(traceback.format_exception(kind, error, trace))))

    sys.excepthook = show
