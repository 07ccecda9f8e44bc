"""Where we are: the project's folder, and the name of this environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stillroom.errors import SettingsError
from stillroom.settings.sources import Sources

INI = "alembic.ini"
ALIASES = {"dev": "development", "local": "development", "ci": "test", "testing": "test", "stage": "staging"}
ALIASES |= {"prod": "production"} | {name: name for name in ("development", "test", "staging", "production")}


def find_root(start: Path | None) -> Path:
    """Find the folder of alembic.ini, from a folder upwards.

    Args:
        start: The folder to begin with; the current one by default.

    Raises:
        SettingsError: no alembic.ini, or the current folder is gone.
    """
    try:
        here = (start or Path.cwd()).resolve()
    except FileNotFoundError:
        raise SettingsError("the current folder is gone", hint="`cd` to the project") from None
    for folder in (here, *here.parents):
        if (folder / INI).is_file():
            return folder
    raise SettingsError(f"no {INI} in {here} or above it", hint="`cd` to the project: the folder of `alembic.ini`")


def read_environment(sources: Sources) -> tuple[str, str]:
    """Return what this environment is, in our words, and as it was written.

    A name that is not one of ours is "unknown": it protects like production.
    """
    values = [sources.read(name) for name in ("APP_ENV", "ENVIRONMENT")]
    named = [(value, ALIASES.get(value.text.strip().lower(), "unknown")) for value in values if value]
    if not named:
        return "", ""
    value, environment = named[0]
    if environment == "unknown":
        known = "development, test, staging or production"
        sources.notes.append(f"{value.place} is none of {known}: the database is protected")
    if {name for _, name in named} - {environment}:
        sources.notes.append("ENVIRONMENT says something else than APP_ENV, which wins")
    return environment, value.text.strip()


def stray_dotenv_files(root: Path, start: Path) -> Iterator[Path]:
    """Yield .env files that lie near, and are not read: between start and root, and above it in the same repository."""
    folder = start
    while folder != root and root in folder.parents:
        if (folder / ".env").exists():
            yield folder / ".env"
        folder = folder.parent
    for above in (root, *root.parents):
        if above != root and (above / ".env").exists():
            yield above / ".env"
        # A repository's own folder ends the search: what lies above it is somebody else's.
        if (above / ".git").exists():
            return
