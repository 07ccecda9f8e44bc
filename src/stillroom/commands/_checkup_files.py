"""Doctor's look at settings and files: where values come from, and who else may read or write them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stillroom.core.findings import Finding
from stillroom.edges.modes import read_access

if TYPE_CHECKING:
    from pathlib import Path

    from stillroom.commands._checkup import Ground

DOTENV = ".env"
DATABASES = ("DATABASE_URL", "MIGRATION_DATABASE_URL")


def check_settings(ground: Ground) -> Iterator[Finding]:
    """Name the settings that are given and where each comes from; what is odd about them is said as well."""
    given = [each for each in ground.settings.entries if each.source != "default" or each.name == DATABASES[0]]
    shown = (
        f"{each.name}: {each.value} ({each.source})" if each.name in DATABASES else f"{each.name} ({each.source})"
        for each in given
    )
    yield Finding("ok", "settings", f"{', '.join(shown)}; `invoke config` shows all")
    for note in ground.settings.notes:
        yield Finding("info", "settings-note", note, "`invoke config`")


def check_modes(ground: Ground) -> Iterator[Finding]:
    """Say who else may read or write `.env`, the revisions and the backups."""
    yield from _check_dotenv(ground.settings.root / DOTENV)
    if ground.layout is not None:
        for folder in dict.fromkeys((ground.layout.script_location, *ground.layout.version_folders)):
            access = read_access(folder)
            if access and access.lets_others_write:
                shown = _shown(folder, ground.settings.root)
                what = f"{shown} may be written by everybody on this machine, and what lies there is run"
                yield Finding("warning", "migrations-mode", what, f"`chmod o-w {shown}`")
    backups = ground.settings.backup_dir
    access = read_access(backups)
    if access and access.lets_in:
        shown = _shown(backups, ground.settings.root)
        what = f"{shown}, the folder of the backups, is open to others on this machine (mode {access.mode:04o})"
        yield Finding("warning", "backups-mode", what, f"`chmod go= {shown}`")


def _check_dotenv(path: Path) -> Iterator[Finding]:
    access = read_access(path)
    if access is None:
        return
    hint = f"`chmod 600 {DOTENV}`"
    if access.lets_others_write:
        what = f"{DOTENV} may be written by everybody on this machine: they choose which database is migrated"
        yield Finding("problem", "dotenv-writable", what, hint)
    elif access.lets_read or access.lets_group_write:
        what = f"{DOTENV} may be read by others on this machine (mode {access.mode:04o}), passwords and all"
        yield Finding("warning", "dotenv-readable", what, hint)


def check_git(ground: Ground) -> Iterator[Finding]:
    """Say whether git keeps `.env`: whoever has the repository has what is in it."""
    from stillroom.edges.git import is_tracked

    root = ground.settings.root
    if (root / DOTENV).exists() and is_tracked(root, DOTENV, ground.settings.child_environment):
        what = f"git tracks {DOTENV}: whoever has the repository has the passwords in it"
        hint = f"`git rm --cached {DOTENV}`, add it to .gitignore, and change the passwords"
        yield Finding("problem", "dotenv-tracked", what, hint)


def _shown(path: Path, root: Path) -> str:
    import shlex

    return shlex.quote(os.fspath(path.relative_to(root)) if path.is_relative_to(root) else os.fspath(path))
