"""Which database is meant: DATABASE_URL, a secret's file, alembic.ini, or the embedded server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stillroom.core.secrets import Secret
from stillroom.core.tls import SYSTEM, tls_parameters
from stillroom.core.urls import DatabaseUrl, parse_url
from stillroom.settings.embedded import require_embedded_is_meant
from stillroom.settings.files import read_text
from stillroom.settings.ini import read_ini_url
from stillroom.settings.machine import find_ca_file
from stillroom.settings.sources import ENVIRONMENT, Sources, Value, libpq_defaults, refuse

URL, FILE, MIGRATION = "DATABASE_URL", "DATABASE_URL_FILE", "MIGRATION_DATABASE_URL"


def read_databases(sources: Sources, root: Path, environment: str) -> tuple[DatabaseUrl | None, DatabaseUrl | None]:
    """Return the application's database and the direct way to it; None and None mean the embedded server.

    Args:
        sources: Environment and .env.
        root: The project's folder.
        environment: The environment's name in our words; "" when it has none.

    Raises:
        SettingsError: a URL cannot be used, the two name different databases, or a URL is missing where a server of
            one's own was meant.
    """
    value, direct = _find_url(sources, root), sources.get(MIGRATION)
    if value is None and direct is None:
        require_embedded_is_meant(sources, environment)
        sources.record(URL, "the embedded server", "default")
        return None, None
    places, options = libpq_defaults(sources)
    migration = _read_url(sources, direct, places, options) if direct else None
    if value is None:
        # The one address that was given stands for both: never the embedded server beside a real one.
        sources.record(URL, MIGRATION, "default")
        return migration, migration
    database = _read_url(sources, value, places, options)
    if direct and migration and migration.name != database.name:
        what = f"names the database {migration.name}, and {URL} names {database.name}"
        alias = f'if a pooler calls it by another name: `{URL}="${MIGRATION}" invoke migrate`'
        raise refuse(direct, what, f"write the same database's direct address; {alias}")
    return database, migration


def _find_url(sources: Sources, root: Path) -> Value | None:
    """Find the application's URL where it may stand, first come first served; two at one level are refused."""
    url, file = sources.get(URL), sources.get(FILE)
    if file and "://" in file.text:
        raise refuse(file, "the value is a URL, and a path is meant", f"write it as `{URL}`, or write a file's path")
    if file:
        sources.record(FILE, file.text, file.source)
    if url and file:
        if url.source.split()[0] == file.source.split()[0]:
            raise refuse(url, f"{FILE} is set beside it", f"remove one of {URL} and {FILE}")
        winner = url if url.source == ENVIRONMENT else file
        sources.notes.append(f"{winner.name}: the environment wins over .env")
        url, file = (url, None) if winner is url else (None, file)
    if file:
        return _read_file(file, root)
    return url or read_ini_url(root)


def _read_file(file: Value, root: Path) -> Value:
    """Read a secret's file; a trailing line break is an editor's, not the secret's."""
    if not file.text.strip():
        raise refuse(file, "the value is blank", f"write a path, or remove {FILE}")
    text = read_text(root / file.text.strip(), label=file.place, follow=True)
    if text is None:
        raise refuse(file, "there is no such file", "mount the secret, or write its path")
    return Value(URL, text.rstrip("\r\n"), FILE)


def _read_url(sources: Sources, value: Value, places: dict[str, str], options: dict[str, str]) -> DatabaseUrl:
    """Read a URL, add what libpq takes from PG* variables and what TLS demands, and record it."""
    url = parse_url(value.text, source=value.place)
    sources.notes += [f"{value.name}: {note}" for note in url.notes]
    merged = options | dict(url.options)
    url = replace(
        url,
        host=url.host or places.get("host", ""),
        port=url.port or places.get("port", ""),
        user=url.user or places.get("user", ""),
        password=url.password or (Secret(places["password"]) if "password" in places else None),
        options=tuple(sorted(merged.items())),
    )
    ca_file = find_ca_file(sources.environment, own=merged.get("sslrootcert") != SYSTEM)
    tls = tls_parameters(url, ca_file=ca_file)
    setting = MIGRATION if value.name == MIGRATION else URL
    sources.record(setting, url.shown, value.source)
    for name in sorted(tls):
        if tls[name] != merged.get(name):
            sources.record(f"{setting} {name}", tls[name], "default")
    return replace(url, options=tuple(sorted((merged | tls).items())))
