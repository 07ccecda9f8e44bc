"""How one database is told to a libpq program without a secret among its arguments.

Source: PostgreSQL manual, "Environment Variables", "The Password File", "The Connection Service File".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stillroom.core.secrets import Secret
    from stillroom.core.urls import DatabaseUrl

VARIABLES = {
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "client_encoding": "PGCLIENTENCODING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "dbname": "PGDATABASE",
    "gssdelegation": "PGGSSDELEGATION",
    "gssencmode": "PGGSSENCMODE",
    "gsslib": "PGGSSLIB",
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "krbsrvname": "PGKRBSRVNAME",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "max_protocol_version": "PGMAXPROTOCOLVERSION",
    "min_protocol_version": "PGMINPROTOCOLVERSION",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "port": "PGPORT",
    "require_auth": "PGREQUIREAUTH",
    "requirepeer": "PGREQUIREPEER",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "sslcert": "PGSSLCERT",
    "sslcertmode": "PGSSLCERTMODE",
    "sslcompression": "PGSSLCOMPRESSION",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "sslsni": "PGSSLSNI",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "user": "PGUSER",
}
"""Variables rather than a service file: an older libpq ignores one it does not know, and stops at such a parameter."""


def place_parameters(url: DatabaseUrl) -> tuple[dict[str, str], dict[str, str]]:
    """Return a database's parameters as PG* variables, and those that have none (sslpassword, keepalives) by name.

    The password is in neither: it belongs into a password file.
    """
    parameters = {name: value for name, value in url.libpq().items() if name != "password"}
    if url.search_path:
        # In `options` a blank ends a word and a backslash escapes it.
        path = url.search_path.replace("\\", "\\\\").replace(" ", "\\ ")
        parameters["options"] = f"{parameters.get('options', '')} -csearch_path={path}".strip()
    variables = {VARIABLES[name]: value for name, value in parameters.items() if name in VARIABLES}
    return variables, {name: value for name, value in parameters.items() if name not in VARIABLES}


def passfile_line(password: Secret) -> str:
    """Return the line of a password file that answers every server with this password."""
    escaped = password.reveal().replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:*:{escaped}\n"


def service_text(name: str, parameters: Mapping[str, str]) -> str:
    """Return a connection service file with one service."""
    return "".join([f"[{name}]\n", *(f"{key}={value}\n" for key, value in parameters.items())])
