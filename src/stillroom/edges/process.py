"""Our own process: what its death would leave lying about."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

_mask: Callable[[str], str] = str


class _Masked(io.BufferedIOBase):
    """The bytes of a stream, masked on their way."""

    def __init__(self, inner: TextIO) -> None:
        self._inner = inner

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        text = bytes(data).decode(self._inner.encoding, "surrogateescape")
        self._inner.buffer.write(_mask(text).encode(self._inner.encoding, "surrogateescape"))
        return len(data)

    def flush(self) -> None:
        self._inner.flush()

    def fileno(self) -> int:
        return self._inner.fileno()

    def isatty(self) -> bool:
        return self._inner.isatty()


def mask_what_revisions_say() -> None:
    """Let what anybody prints, logs or warns from now on pass through the mask: a revision may know the URL."""
    sys.stdout, sys.stderr = _masking(sys.stdout), _masking(sys.stderr)


def _masking(stream: TextIO) -> TextIO:
    """Wrap a stream in one that can all that Python's own can: revisions reconfigure it, or write bytes."""
    masked: Any = _Masked(stream)
    return io.TextIOWrapper(masked, stream.encoding, stream.errors, line_buffering=True, write_through=True)


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
