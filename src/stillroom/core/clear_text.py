"""What an older libpq must be kept from: it does not know `require_auth`, and gives a password to any server that asks.

Source: PostgreSQL manual, "Message Formats" (Authentication*), "Parameter Key Words" (require_auth, channel_binding).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stillroom.core.tls import is_socket

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

KNOWS_REQUIRE_AUTH = 16
METHODS = {3: "password", 5: "md5", 7: "gss", 9: "sspi", 10: "scram-sha-256"}
"""By the code of the server's request."""
NONE, OK = "none", 0


def rule_of(url: DatabaseUrl) -> str:
    """Return the `require_auth` that keeps a password from being sent in clear text; blank where none is needed.

    Args:
        url: One server's: its own `require_auth`, or ours where nobody verified the server.
    """
    parameters = url.libpq()
    rule = parameters.get("require_auth", "")
    is_bound = parameters.get("channel_binding") == "require"  # known since 13, and stronger
    return "" if is_bound or is_socket(url.host, dict(url.options)) or permits(rule, "password") else rule


def permits(rule: str, method: str) -> bool:
    """Tell whether a `require_auth` lets a server ask for a method."""
    names = [each.strip() for each in rule.split(",") if each.strip()]
    if not names:
        return True
    return f"!{method}" not in names if names[0].startswith("!") else method in names


def bound(url: DatabaseUrl) -> DatabaseUrl:
    """Return the address with TLS and channel binding, which nobody in the middle can answer, nor ask past."""
    options = dict(url.options) | {"sslmode": "require", "channel_binding": "require"}
    return replace(url, options=tuple(sorted(options.items())))
