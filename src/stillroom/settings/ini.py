"""The URL of alembic.ini, where a project still keeps one."""

from __future__ import annotations

import re
from pathlib import Path

from stillroom.errors import SettingsError
from stillroom.settings.files import read_text
from stillroom.settings.place import INI
from stillroom.settings.sources import Value

KEY = "sqlalchemy.url"
# What `alembic init` writes.
PLACEHOLDER = "driver://user:pass@localhost/dbname"


def read_ini_url(root: Path) -> Value | None:
    """Return sqlalchemy.url of alembic.ini; None when it has none, a blank one or the template's.

    Raises:
        SettingsError: the file cannot be read.
    """
    text = read_text(root / INI, label=INI, follow=True) or ""
    # Most files have no such line; configparser is not imported for them.
    if not re.search(r"^sqlalchemy\.url[ \t]*[=:][ \t]*\S", text, re.MULTILINE):
        return None
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        # Its own message quotes lines of the file.
        raise SettingsError(f"{INI}: the file does not parse", hint=f"look for a line without `=` in `{INI}`") from None
    url = parser.get("alembic", KEY, fallback="").strip()
    # Alembic reads the file with interpolation, where a percent sign is written twice.
    return Value(KEY, url.replace("%%", "%"), INI) if url and url != PLACEHOLDER else None
