"""A database URL as SQLAlchemy reads it, for each of the drivers an application may use."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from stillroom.errors import SettingsError

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

RENDERED = ("psycopg2", "psycopg", "asyncpg")
# asyncpg takes these from a dsn only; SQLAlchemy hands it every parameter as a keyword.
ASYNCPG_FILES = frozenset({"sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl"})
ASYNCPG_OTHERS = frozenset({"application_name", "options", "client_encoding", "target_session_attrs", "krbsrvname"})
ASYNCPG_DSN = ASYNCPG_FILES | ASYNCPG_OTHERS | {"search_path", "passfile"}


def render(url: DatabaseUrl, driver: str) -> str:
    """Write a URL for `create_engine`, its password included.

    Args:
        url: The database.
        driver: "psycopg2", "psycopg" or "asyncpg".

    Raises:
        SettingsError: driver is none of these.
    """
    if driver not in RENDERED:
        known = ", ".join(f"`{name}`" for name in RENDERED)
        raise SettingsError(f"url_for: the driver {driver!r} is not known", hint=f"write one of {known}")
    parameters = _asyncpg_parameters(url) if driver == "asyncpg" else _libpq_parameters(url)
    authority = _credentials(url)
    if _fits_authority(url):
        # SQLAlchemy decodes user, password and database, but not the host.
        host = f"[{url.host}]" if ":" in url.host else url.host
        authority += host + (f":{url.port}" if url.port else "")
    else:
        parameters = _server_parameters(url, driver) | parameters
    query = "&".join(f"{name}={_encode(value)}" for name, value in parameters.items())
    return f"postgresql+{driver}://{authority}/{_encode(url.name)}" + (f"?{query}" if query else "")


def _encode(text: str) -> str:
    return quote(text, safe="")


def _credentials(url: DatabaseUrl) -> str:
    if not url.user and not url.password:
        return ""
    password = f":{_encode(url.password.reveal())}" if url.password else ""
    return f"{_encode(url.user)}{password}@"


def _fits_authority(url: DatabaseUrl) -> bool:
    """Tell whether there is one host that needs no encoding."""
    return "," not in url.host and not url.host.startswith(("/", "@")) and "%" not in url.host and bool(url.host)


def _server_parameters(url: DatabaseUrl, driver: str) -> dict[str, str]:
    """Write sockets and several hosts as `host=` and `port=`; asyncpg wants a port for each host."""
    if not url.host:
        return {"port": url.port} if url.port else {}
    ports = ",".join(port or ("5432" if driver == "asyncpg" else "") for _, port in url.servers)
    return {"host": url.host} | ({"port": ports} if ports.strip(",") else {})


def _libpq_parameters(url: DatabaseUrl) -> dict[str, str]:
    parameters = dict(url.options)
    if url.search_path and "search_path" not in parameters.get("options", ""):
        escaped = url.search_path.replace("\\", "\\\\").replace(" ", "\\ ")
        parameters["options"] = f"{parameters.get('options', '')} -csearch_path={escaped}".lstrip()
    return parameters


def _asyncpg_parameters(url: DatabaseUrl) -> dict[str, str]:
    """Keep what asyncpg knows: `ssl=` for sslmode, the rest in a dsn that holds nothing else."""
    options = dict(url.options) | ({"search_path": url.search_path} if url.search_path else {})
    nested = "&".join(f"{name}={_encode(value)}" for name, value in options.items() if name in ASYNCPG_DSN)
    parameters = {"ssl": options["sslmode"]} if "sslmode" in options else {}
    return parameters | ({"dsn": f"postgresql://?{nested}"} if nested else {})
