"""Take the text of a database URL apart; refuse what could be read in two ways, without showing any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from stillroom.errors import SettingsError

EXAMPLE = "postgresql://user:password@host:5432/database"
ENCODING = (
    "percent-encode user name and password: `@` is %40, `:` %3A, `/` %2F, `#` %23, `?` %3F, `%` %25, blank %20, "
    "`$` %24, `{` %7B"
)
# All of them reach the server through psycopg2 here, whatever the application uses.
DRIVERS = frozenset({"", "psycopg2", "psycopg2cffi", "psycopg", "psycopg_async", "asyncpg", "aiopg", "pg8000"})
HOST = re.compile(r"[\w.-]+|[/@][^,]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[\w.-]+)?")
HOST_AND_PORT = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]*))(?::([0-9]{0,5}))?")


@dataclass(frozen=True)
class UrlParts:
    """The parts of a URL, percent-decoded, its query still as text.

    Args:
        user: "" when there is none.
        password: None when there is none.
        host: Comma separated when there are several.
        port: One port for each host, comma separated; "" when none is given.
        name: The database's name; "" when there is none.
        query: What follows the question mark, still encoded.
    """

    user: str
    password: str | None
    host: str
    port: str
    name: str
    query: str


def split_url(text: str, source: str) -> UrlParts:
    """Split a URL into its parts.

    Args:
        text: The URL; no part of it after the user name is ever shown.
        source: What the error calls it: "DATABASE_URL in .env line 3".

    Raises:
        SettingsError: it is no PostgreSQL URL, or could be read in two ways.
    """
    _require_clean_text(text, source)
    start = _require_scheme(text, source)
    end = _authority_end(text, start, source)
    user, has_user, servers = text[start:end].rpartition("@")
    name, has_password, password = user.partition(":")
    path, _, query = text[end:].removeprefix("/").partition("?")
    if "/" in path:
        raise refuse(source, "more than one `/` follows the server", f"write it as `{EXAMPLE}`; a `/` in a name is %2F")
    host, port = read_servers(servers, source)
    return UrlParts(
        user=decode(name, source) if has_user else "",
        password=decode(password, source) if has_password else None,
        host=host,
        port=port,
        name=decode(path, source),
        query=query,
    )


def refuse(source: str, what: str, hint: str) -> SettingsError:
    """Make the error that names the source and never the value."""
    return SettingsError(f"{source}: {what}", hint=hint)


def _require_clean_text(text: str, source: str) -> None:
    """Refuse what no URL holds: blanks, control characters, `#`, a bare `%`, a variable nobody expands."""
    if not text.strip():
        raise refuse(source, "the value is blank", f"write it as `{source.partition(' ')[0]}={EXAMPLE}`")
    if text != text.strip():
        raise refuse(source, "the value begins or ends with a blank or a line break", "remove it")
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise refuse(source, "the value holds a line break or another control character", "write it on one line")
    variable = re.search(r"\$[{(]", text)
    if variable:
        what = f"a variable starts at character {variable.start() + 1}, and variables are not expanded here"
        raise refuse(source, what, "write the value itself; a `$` that is meant is %24")
    odd = re.search(r"[\s#]|%(?![0-9A-Fa-f]{2})", text)
    if odd:
        raise refuse(source, f"character {odd.start() + 1} must be percent-encoded", ENCODING)


def _require_scheme(text: str, source: str) -> int:
    """Return where the part after `://` starts."""
    scheme, has_scheme, _ = text.partition("://")
    dialect, _, driver = scheme.lower().partition("+")
    if not has_scheme or dialect not in {"postgres", "postgresql"} or driver not in DRIVERS:
        raise refuse(source, "the value is no URL of a PostgreSQL database", f"write it as `{EXAMPLE}`, without quotes")
    return len(scheme) + 3


def _authority_end(text: str, start: int, source: str) -> int:
    """Return where user, password and server end; refuse an unencoded `@`, `/` or `?` in a password."""
    end = next((index for index in range(start, len(text)) if text[index] in "/?"), len(text))
    first, last = text.find("@", start), text.rfind("@")
    if first == last < end:
        return end
    # A second `@` after the question mark is the odd one; else the first delimiter inside the password is.
    question = text.find("?", start)
    odd = min(first, end) if question < 0 or last < question or first > end else last
    raise refuse(source, f"character {odd + 1} must be percent-encoded: the value can be read in two ways", ENCODING)


def read_servers(servers: str, source: str) -> tuple[str, str]:
    """Read `host:port,[v6]:port,...` into libpq's two comma separated lists."""
    hosts, ports = [], []
    for server in servers.split(","):
        match = HOST_AND_PORT.fullmatch(server)
        if match is None or (match[3] and not 0 < int(match[3]) < 65536):
            what = "what follows the user name is no host and port"
            raise refuse(source, what, f"write it as `{EXAMPLE}`, an IPv6 address in [ ]; {ENCODING}")
        hosts.append(require_host(decode(match[1] or match[2], source), source))
        ports.append(match[3] or "")
    if len(hosts) > 1 and not all(hosts):
        raise refuse(source, "one of several hosts is blank", "name every host, or only one")
    return ",".join(hosts), ",".join(ports) if any(ports) else ""


def require_host(host: str, source: str) -> str:
    """Return a decoded host that is a name, an address, a socket folder or blank."""
    if host and not HOST.fullmatch(host):
        raise refuse(source, "the host is no name, address or socket folder", f"write it as `{EXAMPLE}`; {ENCODING}")
    return host


def decode(value: str, source: str) -> str:
    """Decode percent-encoding; a plus stays a plus, as in libpq."""
    try:
        decoded = unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise refuse(source, "a percent-encoded part is not UTF-8", "encode the UTF-8 bytes of the text") from None
    if re.search(r"[\x00\r\n]", decoded):
        raise refuse(source, "a part holds a NUL or a line break", "PostgreSQL's password file takes neither")
    return decoded
