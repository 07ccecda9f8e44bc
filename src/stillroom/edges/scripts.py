"""The project's files on disk: alembic.ini, env.py and the revisions, read and never imported."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from stillroom.core.created_tables import Table
from stillroom.core.history import History, Revision, make_history
from stillroom.core.layout import Layout, read_env, read_ini
from stillroom.core.script_functions import find_missing_functions
from stillroom.core.script_parsing import HeaderError
from stillroom.core.script_tables import find_tables_in_script
from stillroom.core.script_text import has_header, read_header
from stillroom.errors import RefusedError, SettingsError

_CREATED = re.compile(rb"^Create Date: *(\d{4}-\d\d-\d\d[ T]\d\d:\d\d)", re.MULTILINE)
HEADER_BYTES = 65_536
HEADER_LIMIT_BYTES = 1 << 20
FILE_LIMIT_BYTES = 16 << 20


def read_layout(root: Path) -> Layout:
    """Find the script folder, the version folders and the version table of the project at root.

    Raises:
        SettingsError: alembic.ini or env.py cannot be read.
        RefusedError: env.py does not call `stillroom.env.run`.
    """
    try:
        layout = read_ini((root / "alembic.ini").read_text("utf-8"), root)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"alembic.ini cannot be read: {_reason(error)}", hint="the README shows the three files a project needs"
        ) from None
    env = layout.script_location / "env.py"
    try:
        text = env.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{_short(env, root)} cannot be read: {_reason(error)}",
            hint="script_location in alembic.ini names its folder",
        ) from None
    return read_env(text, layout, _short(env, root))


def read_history(layout: Layout) -> History:
    """Read every revision file up to its first `def`.

    Raises:
        RefusedError: A file that cannot be read, or a graph that is not sound; the file is named.
    """
    revisions: list[Revision] = []
    unread: list[str] = []
    for path in _files(layout):
        found = _read_one(path, layout.root)
        if found is None:
            unread.append(_short(path, layout.root))
        else:
            revisions.append(found)
    return make_history(revisions, tuple(unread))


def find_broken(layout: Layout) -> tuple[RefusedError, ...]:
    """Say of each revision file that cannot be read, or does not parse to its end, what is wrong with it."""
    found = []
    for path in _files(layout):
        try:
            _read_one(path, layout.root)
            require_functions(layout, _short(path, layout.root))
        except RefusedError as error:
            found.append(error)
    return tuple(found)


def require_files(layout: Layout) -> None:
    """Refuse what is no file among the revisions, before Alembic opens it.

    Raises:
        RefusedError: A pipe, a folder, a device, or a link to nothing; it is named.
    """
    for path in _files(layout):
        with _named(path, layout.root):
            pass


def _files(layout: Layout) -> list[str]:
    found: list[str] = []
    for folder in layout.version_folders:
        if layout.is_recursive:
            for place, _, names in os.walk(folder):
                found += [os.path.join(place, name) for name in names if _is_script(name)]  # noqa: PTH118  (a Path for each costs 10 times as much)
        elif folder.is_dir():
            with os.scandir(folder) as entries:
                found += [entry.path for entry in entries if _is_script(entry.name)]
    return sorted(found)


def _is_script(name: str) -> bool:
    return name.endswith(".py") and not name.startswith((".#", "__init__"))


def _read_one(path: str, root: Path) -> Revision | None:
    with _named(path, root):
        return read_header(_read_start(path), _short(path, root))


def _read_start(path: str) -> bytes:
    """Read a file as far as its header can reach.

    Raises:
        HeaderError: The file is larger than any revision.
    """
    with open(path, "rb") as file:  # noqa: PTH123  (a thousand of them: a Path for each costs more than the reading)
        data = file.read(HEADER_BYTES)
        if len(data) < HEADER_BYTES:
            return data
        size = os.fstat(file.fileno()).st_size
        if size > FILE_LIMIT_BYTES:
            raise HeaderError(
                f"line 1: it is {size >> 20:,} MiB long, and a revision has at most {FILE_LIMIT_BYTES >> 20}"
            )
        return data if has_header(data) else data + file.read(HEADER_LIMIT_BYTES - HEADER_BYTES)


@contextmanager
def _named(path: str, root: Path) -> Iterator[None]:
    """Name the file in what goes wrong with it.

    Raises:
        RefusedError: It cannot be read, is no regular file, or does not parse.
    """
    short = _short(path, root)
    try:
        if not stat.S_ISREG(os.stat(os.path.join(root, path)).st_mode):  # noqa: PTH116, PTH118  (as in `_files`)
            # It is not opened: a named pipe waits for somebody who writes.
            raise RefusedError(f"{short} is no regular file", hint="take it out of the folder of the revisions")
        yield
    except OSError as error:
        raise RefusedError(
            f"{short} cannot be read: {_reason(error)}", hint="restore the file, or its rights"
        ) from None
    except HeaderError as error:
        raise RefusedError(
            f"{short}, {error}", hint=f"correct the file, or restore it: `git checkout -- {shlex.quote(short)}`"
        ) from None


def require_functions(layout: Layout, path: str) -> None:
    """Refuse a revision file that does not parse to its end, or lacks `upgrade` or `downgrade`; it is not imported.

    Args:
        layout: The project's places.
        path: The file, relative to the project's root.

    Raises:
        RefusedError: The file is named, with line and column where there is one.
    """
    with _named(path, layout.root):
        missing = find_missing_functions((layout.root / path).read_bytes())
    if missing:
        raise RefusedError(
            f"{path} has no {' and no '.join(f'{each}()' for each in missing)}; it may have been cut",
            hint=f"write it, or restore the file: `git checkout -- {shlex.quote(path)}`",
        )


def read_bytes(layout: Layout, path: str) -> bytes:
    """Read a whole revision file.

    Args:
        layout: The project's places.
        path: The file, relative to the project's root.

    Raises:
        RefusedError: It cannot be read.
    """
    with _named(path, layout.root):
        return (layout.root / path).read_bytes()


def read_tables_made(layout: Layout, path: str, *, is_strict: bool) -> tuple[Table, ...]:
    """Name the tables that a revision file makes, told from its text alone.

    Args:
        layout: The project's places.
        path: The file, relative to the project's root.
        is_strict: Count those that are made on a condition, and those in SQL, too.

    Raises:
        RefusedError: It cannot be read, or does not parse.
    """
    with _named(path, layout.root):
        return find_tables_in_script((layout.root / path).read_bytes(), is_strict=is_strict)


def find_unmentioned(layout: Layout, paths: Sequence[str], words: frozenset[str]) -> frozenset[str]:
    """Find the words that stand in none of these files, whatever else is in them.

    Args:
        layout: The project's places.
        paths: The files, relative to the project's root.
        words: What to look for.

    Raises:
        RefusedError: One cannot be read.
    """
    left = set(words)
    for path in paths:
        with _named(path, layout.root):
            data = (layout.root / path).read_bytes()
        left = {each for each in left if not re.search(rb"(?<!\w)" + re.escape(each.encode()) + rb"(?!\w)", data)}
    return frozenset(left)


def read_created(layout: Layout, path: str, committed_at: str = "") -> str:
    """Read when a revision was made: its "Create Date" to the minute, else git's time, else the file's own in UTC.

    Args:
        layout: The project's places.
        path: The file, relative to the project's root.
        committed_at: When git's author committed it, as it is shown; empty when git does not know.
    """
    with _named(path, layout.root):
        found = _CREATED.search(_read_start(str(layout.root / path)))
        if found:
            return found.group(1).decode("ascii")
        if committed_at:
            return committed_at
        changed = (layout.root / path).stat().st_mtime
    return datetime.fromtimestamp(changed, UTC).strftime("%Y-%m-%d %H:%M")


def _short(path: str | Path, root: Path) -> str:
    text, start = os.fspath(path), os.fspath(root) + os.sep
    return text[len(start) :] if text.startswith(start) else text


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"
