"""Small files that a person or an orchestrator wrote: read with a bound, never waiting."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from stillroom.errors import SettingsError

LIMIT_BYTES = 64 * 1024


def read_text(path: Path, *, label: str, follow: bool, trusted_uid: int | None = None) -> str | None:
    """Read a text file of at most 64 KiB, without its BOM.

    Args:
        path: The file.
        label: What an error calls it.
        follow: A symbolic link is followed; else it is refused.
        trusted_uid: Refuse a file of an owner other than us, root and this one; None accepts every owner.

    Returns:
        The text; None when there is no such file.

    Raises:
        SettingsError: it is no regular file, too large, not UTF-8, not ours, or may not be read.
    """
    # A FIFO without a writer would hang an ordinary open.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | (0 if follow else getattr(os, "O_NOFOLLOW", 0))
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        if path.is_symlink():
            raise SettingsError(f"{label}: the link leads nowhere", hint=f"look at `ls -l {path}`") from None
        return None
    except OSError as error:
        if not follow and path.is_symlink():
            message = f"{label}: a symbolic link is not read"
            raise SettingsError(message, hint="put the file here, or set DATABASE_URL_FILE to the target") from None
        raise SettingsError(f"{label}: {error.strerror}", hint=f"look at `ls -l {path}`") from None
    try:
        _require_plain(os.fstat(descriptor), label, trusted_uid)
        content = os.read(descriptor, LIMIT_BYTES + 1)
    finally:
        os.close(descriptor)
    return _decode(content, label)


def _require_plain(status: os.stat_result, label: str, trusted_uid: int | None) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SettingsError(f"{label}: it is no regular file", hint="put a text file there, or remove it")
    if trusted_uid is not None and os.name == "posix" and status.st_uid not in {0, os.geteuid(), trusted_uid}:
        message = f"{label}: it belongs to another user (uid {status.st_uid}) and is not read"
        raise SettingsError(message, hint=f"if you trust it: `sudo chown $(id -u) {label}`")


def _decode(content: bytes, label: str) -> str:
    if len(content) > LIMIT_BYTES:
        raise SettingsError(f"{label}: it is larger than 64 KiB", hint="keep settings only in it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SettingsError(f"{label} line {line}: not UTF-8", hint="save the file as UTF-8") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise SettingsError(f"{label} line {line}: a NUL character", hint="save the file as UTF-8 text")
    return text
