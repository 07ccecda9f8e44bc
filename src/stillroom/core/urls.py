"""One value for every way to write a PostgreSQL address; it reaches libpq and SQLAlchemy from here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from stillroom.core.secrets import Secret
from stillroom.core.tls import refuse_clear_text
from stillroom.core.urls_query import Query, read_query
from stillroom.core.urls_text import EXAMPLE, read_servers, refuse, split_url


@dataclass(frozen=True, repr=False)
class DatabaseUrl:
    """One database, its server and the role that connects.

    Args:
        host: "" is libpq's default; a socket folder starts with "/"; several hosts are comma separated.
        port: "" is libpq's default; comma separated for several hosts.
        user: "" is libpq's default.
        password: None leaves it to ~/.pgpass, or to a server that asks for none.
        name: The database's name.
        options: Other libpq parameters (sslmode, ...), sorted by name.
        search_path: From `?schema=`, in the syntax of SET search_path.
        notes: What was translated or dropped when it was read, in words.
    """

    host: str
    port: str
    user: str
    password: Secret | None = field(repr=False)
    name: str
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    search_path: str | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        # Not the dataclass's own: options may hold a secret (sslpassword).
        return f"DatabaseUrl({self.shown!r})"

    def libpq(self) -> dict[str, str]:
        """Return keyword parameters for psycopg2.connect, the password included.

        They refuse to answer a server that asks for the password in clear text, but over verified TLS. search_path
        is not among them: a pooler refuses it at the start of a session.
        """
        password = self.password.reveal() if self.password else ""
        places = {"host": self.host, "port": self.port, "user": self.user, "password": password, "dbname": self.name}
        options = dict(self.options)
        given = {name: value for name, value in places.items() if value}
        return given | refuse_clear_text(self.host, options) | options

    def render(self, driver: str) -> str:
        """Return a SQLAlchemy URL, percent-encoded, the password included.

        Args:
            driver: "psycopg2", "psycopg" or "asyncpg".

        Raises:
            SettingsError: driver is none of these.
        """
        from stillroom.core.urls_render import render

        return render(self, driver)

    @property
    def servers(self) -> tuple[tuple[str, str], ...]:
        """Each host with its port; "" where libpq's default holds."""
        hosts, ports = self.host.split(","), self.port.split(",")
        common = ports[0] if len(ports) == 1 else ""
        return tuple(zip_longest(hosts, ports if len(ports) > 1 else (), fillvalue=common))

    @property
    def shown(self) -> str:
        """The database in words, without secrets."""
        server = ",".join(_show_server(host, port) for host, port in self.servers)
        return f"{self.name} on {server}" + (f" as {self.user}" if self.user else "")


def _show_server(host: str, port: str) -> str:
    if host.startswith(("/", "@")) and port in {"", "5432"}:
        return host
    shown = f"[{host}]" if ":" in host else host or "the local server"
    return f"{shown}:{port}" if port else shown


def parse_url(text: str, *, source: str) -> DatabaseUrl:
    """Read a database URL as libpq, SQLAlchemy, asyncpg, Prisma or Heroku write it.

    Args:
        text: The URL; no part of it after the user name is ever shown.
        source: What the error calls it: "DATABASE_URL in .env line 3".

    Raises:
        SettingsError: it is no PostgreSQL URL, names no database, or could be read in two ways.
    """
    parts = split_url(text, source)
    query = read_query(parts.query, source)
    password = _choose("password", parts.password, query, source)
    url = DatabaseUrl(
        host=parts.host,
        port=parts.port,
        user=_choose("user", parts.user, query, source) or "",
        password=Secret(password) if password else None,
        name=_require_name(_choose("dbname", parts.name, query, source), source),
        options=tuple(sorted(query.options.items())),
        search_path=query.search_path,
        notes=tuple(query.notes),
    )
    return _with_servers(url, query, source)


def _choose(place: str, in_url: str | None, query: Query, source: str) -> str | None:
    """Take a part from the URL's body or from its parameters; refuse two that differ."""
    given = query.places.get(place, [])
    if in_url and given and given != [in_url]:
        raise refuse(source, f"`{place}` is in the URL and among its parameters, and they differ", "keep one")
    return given[0] if given else in_url


def _require_name(name: str | None, source: str) -> str:
    """Refuse a database name that libpq would read as something else (`host=evil`), or a tool as an option."""
    if not name:
        raise refuse(source, "the name of the database is missing", f"write it as `{EXAMPLE}`")
    if "=" in name or "://" in name or name.startswith("-"):
        raise refuse(source, "the database's name holds `=` or `://`, or starts with `-`", "rename the database")
    return name


def _with_servers(url: DatabaseUrl, query: Query, source: str) -> DatabaseUrl:
    """Put in the hosts and ports that were written as parameters: `host=/socket`, `host=a:1&host=b:2`."""
    given, ports = ",".join(query.places.get("host", [])), ",".join(query.places.get("port", []))
    # Prisma asks for a host before a socket's folder, and libpq lets the parameter win.
    if given and url.host not in {"", "localhost", given}:
        raise refuse(source, "the server is in the URL and among its parameters, and they differ", "keep one")
    host, port = read_servers(_as_in_url(given), source) if given else (url.host, url.port)
    if ports and (port or not re.fullmatch(r"[0-9]{0,5}(,[0-9]{0,5})*", ports)):
        raise refuse(source, "`port=` is no number, or there is a port before it", "write `host=a,b&port=5432,5433`")
    if (ports or port).count(",") not in {0, host.count(",")}:
        raise refuse(source, "there is neither one port nor one for each host", "write `host=a,b&port=5432,5433`")
    return replace(url, host=host, port=ports or port)


def _as_in_url(hosts: str) -> str:
    """Write decoded hosts as they stand in a URL's body."""
    hosts = hosts.replace("%", "%25")
    return ",".join(f"[{host}]" if host.count(":") > 1 and "]" not in host else host for host in hosts.split(","))
