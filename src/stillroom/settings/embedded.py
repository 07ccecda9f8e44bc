"""Whether the embedded server is meant where no URL is given; a missing secret must never end there."""

from __future__ import annotations

import re

from stillroom.errors import SettingsError
from stillroom.settings.sources import Sources
from stillroom.settings.specs import SERVER_HINTS

UNPROTECTED = frozenset({"", "development", "test"})
PLAIN = re.compile(r"[\w.-]+")


def require_embedded_is_meant(sources: Sources, environment: str) -> None:
    """Refuse the embedded server where another one was surely meant.

    Raises:
        SettingsError: the environment is protected, or a variable hints at a server; the hint is the line to write.
    """
    hints = [name for name in SERVER_HINTS if sources.find(name)]
    if environment in UNPROTECTED and not hints:
        return
    because = f"{hints[0]} is set" if hints else f"the environment is {environment}"
    message = f"DATABASE_URL is not set, and {because}: the embedded server is not meant"
    raise SettingsError(message, hint=f"`DATABASE_URL={_line(sources)}`")


def _line(sources: Sources) -> str:
    """Write the URL as far as the hints give it."""
    user = _first(sources, ("PGUSER", "POSTGRES_USER"), "user")
    host = _first(sources, SERVER_HINTS[:-1], "host")
    port = _first(sources, ("PGPORT", "POSTGRES_PORT"), "5432")
    name = _first(sources, ("PGDATABASE", "POSTGRES_DB"), "database")
    return f"postgresql://{user}:password@{host}:{port}/{name}"


def _first(sources: Sources, names: tuple[str, ...], default: str) -> str:
    found = (sources.find(name) for name in names)
    return next((value.text for value in found if value and PLAIN.fullmatch(value.text)), default)
