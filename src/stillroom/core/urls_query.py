"""The parameters after the question mark: libpq's survive, foreign ones are translated or dropped, and it is said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from stillroom.core.urls_text import decode, refuse

# Source: PostgreSQL 18, "Parameter Key Words" of libpq, without what has a place of its own in a URL.
LIBPQ = frozenset({
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "fallback_application_name",
    "gssdelegation", "gssencmode", "gsslib", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle",
    "keepalives_interval", "krbsrvname", "load_balance_hosts", "max_protocol_version", "min_protocol_version",
    "oauth_client_id", "oauth_client_secret", "oauth_issuer", "oauth_scope", "options", "passfile", "replication",
    "require_auth", "requirepeer", "requiressl", "scram_client_key", "scram_server_key", "service", "servicefile",
    "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcert", "sslcertmode", "sslcompression", "sslcrl",
    "sslcrldir", "sslkey", "sslkeylogfile", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "sslsni",
    "target_session_attrs", "tcp_user_timeout",
})  # fmt: skip
PLACES = frozenset({"host", "port", "user", "password", "dbname"})
SCHEMA_KEYS = frozenset({"schema", "currentSchema"})
SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
# What other drivers write: asyncpg's and JDBC's `ssl=`, node-postgres' `no-verify`.
SSL_WORDS = {"true": "require", "1": "require", "false": "disable", "0": "disable", "no-verify": "require"}
DROPPED = {
    "pgbouncer": "a pooler is found by looking; MIGRATION_DATABASE_URL names a direct way",
    "connection_limit": "it is Prisma's",
    "pool_timeout": "it is Prisma's",
}


@dataclass
class Query:
    """What the parameters of one URL say.

    Args:
        places: host, port, user, password and dbname written as parameters; host and port may repeat.
        options: libpq's other parameters.
        search_path: From `schema=`, quoted where PostgreSQL needs it.
        notes: What was translated or dropped; names of parameters only, never values.
    """

    places: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    search_path: str | None = None
    notes: list[str] = field(default_factory=list)


def read_query(text: str, source: str) -> Query:
    """Sort the parameters of a URL.

    Args:
        text: What follows the question mark, still encoded.
        source: What an error calls the URL.

    Raises:
        SettingsError: a parameter without a value, twice, or with a value nobody takes.
    """
    query, seen = Query(), set()
    for pair in filter(None, text.split("&")):
        key, has_value, value = pair.partition("=")
        if not has_value or not re.fullmatch(r"[A-Za-z_]\w{0,40}", key):
            raise refuse(source, "a parameter is not written as `name=value`", "write `?name=value&name=value`")
        if key in seen and key not in {"host", "port"}:
            raise refuse(source, f"the parameter `{key}` is there twice", "keep one")
        seen.add(key)
        # libpq takes a blank value as its default; so nothing is lost.
        if value:
            _sort(query, key, decode(value, source), source)
    return query


def _sort(query: Query, key: str, value: str, source: str) -> None:
    """Put one parameter where it belongs."""
    if key in PLACES:
        query.places.setdefault(key, []).append(value)
    elif key in {"ssl", "sslmode"}:
        _read_ssl(query, key, value, source)
    elif key in SCHEMA_KEYS:
        query.search_path = quote_name(value)
        query.notes.append(f"`{key}=` became the search_path {query.search_path}")
    elif key in LIBPQ:
        if key == "connect_timeout" and not re.fullmatch(r"-?[0-9]{1,6}", value):
            raise refuse(source, "connect_timeout is no whole number", "write seconds: `connect_timeout=10`")
        query.options[key] = value
    else:
        why = DROPPED.get(key, "libpq has no such parameter")
        query.notes.append(f"`{key}=` was dropped: {why}")


def _read_ssl(query: Query, key: str, value: str, source: str) -> None:
    """Read `sslmode=` and its foreign spellings; two that differ are refused, never guessed."""
    mode = SSL_WORDS.get(value.lower(), value.lower())
    if mode not in SSL_MODES:
        known = ", ".join(sorted(SSL_MODES))
        raise refuse(source, f"`{key}=` has a value libpq does not know", f"write one of {known}")
    if query.options.setdefault("sslmode", mode) != mode:
        raise refuse(source, "`ssl=` and `sslmode=` differ", "keep `sslmode=`")
    if key != "sslmode" or mode != value:
        query.notes.append(f"`{key}=` became sslmode={mode}")


def quote_name(name: str) -> str:
    """Quote an SQL name where PostgreSQL would read it otherwise."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
