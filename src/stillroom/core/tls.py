"""How sure we want to be of the server: the TLS parameters for a URL that does not choose them itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from stillroom.core.urls import DatabaseUrl

# Names that no public resolver answers: RFC 6761, 6762, 8375, and what clouds and clusters use inside.
PRIVATE_ENDINGS = (
    ".localhost", ".local", ".localdomain", ".internal", ".lan", ".home.arpa", ".intranet", ".corp", ".home",
    ".svc", ".flycast", ".test", ".consul",
)  # fmt: skip
SYSTEM = "system"
VERIFIED = frozenset({"verify-ca", "verify-full"})


def tls_parameters(url: DatabaseUrl, *, ca_file: str | None) -> dict[str, str]:
    """Choose the libpq parameters that make the connection as safe as its host demands.

    A URL with sslmode keeps it. Else loopback, sockets, single-label and private hosts get `prefer`; public hosts
    get `verify-full` with a file of certification authorities, without one `require` with SCRAM channel binding, which
    a server in the middle cannot answer. A file named in the URL asks for `verify-full` on all but loopback, where a
    tunnel ends under another name. `sslrootcert=system` becomes ca_file: psycopg2-binary's OpenSSL looks elsewhere.

    Args:
        url: The database, its own options included.
        ca_file: The certification authorities to trust; None when the machine has none.

    Returns:
        Parameters to put over the URL's options; they never hold another sslmode than the URL's.
    """
    options = dict(url.options)
    own_file = options.get("sslrootcert", "")
    mode = options.get("sslmode") or _choose_mode(url, own_file, has_ca=bool(ca_file))
    chosen = {"sslmode": mode}
    # libpq itself refuses `system` beside a weaker mode, and says so better than we could.
    if mode in VERIFIED and ca_file and own_file in ({"", SYSTEM} if mode == "verify-full" else {""}):
        chosen["sslrootcert"] = ca_file
    if mode == "require" and "sslmode" not in options and "channel_binding" not in options:
        chosen["channel_binding"] = "require"
    return chosen


def refuse_clear_text(host: str, options: dict[str, str]) -> dict[str, str]:
    """Return the libpq parameter that keeps a password from being sent in clear text to a server nobody verified.

    Args:
        host: As in DatabaseUrl; a socket needs no TLS.
        options: The other parameters; a `require_auth` among them wins.
    """
    is_verified = options.get("sslmode") in VERIFIED
    return {} if is_socket(host, options) or is_verified or "require_auth" in options else {"require_auth": "!password"}


def is_socket(host: str, options: dict[str, str]) -> bool:
    """Tell whether the server is reached through a socket's folder; a `hostaddr` beside it is an address.

    Args:
        host: As in DatabaseUrl; blank is libpq's default, a socket.
        options: The other parameters.
    """
    return not options.get("hostaddr") and all(not part or part.startswith(("/", "@")) for part in host.split(","))


def _choose_mode(url: DatabaseUrl, own_file: str, *, has_ca: bool) -> str:
    hosts = [*url.host.split(","), *dict(url.options).get("hostaddr", "").split(",")]
    if own_file and not all(is_loopback(host) for host in hosts):
        return "verify-full"
    if all(is_private(host) for host in hosts):
        return "prefer"
    return "verify-full" if has_ca else "require"


def is_private(host: str) -> bool:
    """Tell whether a host lies on this machine or in a network of our own.

    Args:
        host: One host: a socket's folder, a name, an address; blank is libpq's default.
    """
    name = host.lower().rstrip(".")
    if is_loopback(name) or name.endswith(PRIVATE_ENDINGS):
        return True
    if not _is_number(name):
        return "." not in name
    address = _read_address(name)
    if address is None:
        return False
    from ipaddress import ip_network

    # 100.64/10 is not "private" to Python, but no one is reached there from outside (RFC 6598; Tailscale).
    return address.is_private or address.is_link_local or address in ip_network("100.64.0.0/10")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine; blank is libpq's default, a socket."""
    name = host.lower().rstrip(".")
    if not name or name.startswith(("/", "@")) or name == "localhost":
        return True
    address = _read_address(name) if _is_number(name) else None
    return address is not None and address.is_loopback


def _is_number(name: str) -> bool:
    """Tell whether a host is an address and no name: IPv6, or IPv4 in any spelling that resolvers read."""
    return ":" in name or bool(re.fullmatch(r"(\d+|0x[0-9a-f]*)(\.(\d+|0x[0-9a-f]*))*", name, re.ASCII))


def _read_address(name: str) -> IPv4Address | IPv6Address | None:
    """Read an address as inet_aton does, where a part may be octal or hexadecimal, and the last one fills the rest."""
    from ipaddress import IPv4Address, IPv6Address

    try:
        if ":" in name:
            address = IPv6Address(name)
            return address.ipv4_mapped or address
        parts = [int(each, 16 if each[:2] == "0x" else 8 if each[0] == "0" else 10) for each in name.split(".")]
        if len(parts) > 4 or max(parts[:-1], default=0) > 255 or parts[-1] >= 256 ** (5 - len(parts)):
            return None
        return IPv4Address(sum(part << 8 * (3 - place) for place, part in enumerate(parts[:-1])) + parts[-1])
    except ValueError:
        return None
