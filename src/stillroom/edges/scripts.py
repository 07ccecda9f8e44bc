"""The project's files on disk: alembic.ini, env.py and the revisions, read and never imported."""

from __future__ import annotations

import os
from pathlib import Path

from stillroom.core.history import History, Revision, make_history
from stillroom.core.layout import Layout, read_env, read_ini
from stillroom.core.script_text import HeaderError, read_header
from stillroom.errors import RefusedError, SettingsError

HEADER_LIMIT_BYTES = 65_536


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
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (a thousand of them: a Path for each costs more than the reading)
            data = file.read(HEADER_LIMIT_BYTES)
    except OSError as error:
        raise RefusedError(
            f"{_short(path, root)} cannot be read: {_reason(error)}", hint="restore the file, or its rights"
        ) from None
    try:
        return read_header(data, _short(path, root))
    except HeaderError as error:
        raise RefusedError(
            f"{_short(path, root)}, {error}",
            hint="correct the file, or restore it: `git checkout -- " + _short(path, root) + "`",
        ) from None


def _short(path: str | Path, root: Path) -> str:
    text, start = os.fspath(path), os.fspath(root) + os.sep
    return text[len(start) :] if text.startswith(start) else text


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"
