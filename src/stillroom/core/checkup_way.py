"""What doctor makes of the way to the server: pooler, TLS, and the versions at both ends; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stillroom.core.findings import Finding, graver
from stillroom.core.known_holes import (
    OLDEST_SUPPORTED,
    Hole,
    Version,
    find_holes,
    lacking_minor,
    shown,
)
from stillroom.core.tls import VERIFIED, is_loopback, is_private, is_socket

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

VERIFY = (
    "`?sslmode=verify-full&sslrootcert=<file of the server's authority>` in the URL, or that file as ~/.postgresql/root.crt; "
    "docs/settings.md, TLS"
)


def judge_way(*, is_direct: bool, accepts_pooler: bool, cannot_write: str) -> Iterator[Finding]:
    """Say whether a pooler stands between, and whether the server can be written.

    Args:
        is_direct: The process id of libpq's handshake is that of the server's process.
        accepts_pooler: STILLROOM_POOLER=session.
        cannot_write: Why nothing can be written there; empty when it can.
    """
    if not is_direct and accepts_pooler:
        yield Finding("info", "pooler", "a connection pooler stands between, accepted by STILLROOM_POOLER=session")
    elif not is_direct:
        what = "a connection pooler stands between: locks and settings would not hold, so `migrate` refuses"
        hint = "set MIGRATION_DATABASE_URL to the server itself (STILLROOM_POOLER=session accepts a session pooler)"
        yield Finding("problem", "pooler", what, hint)
    if cannot_write:
        yield Finding(
            "problem",
            "read-only",
            f"this server {cannot_write}: nothing can be migrated here",
            "connect to the primary",
        )


def judge_tls(url: DatabaseUrl, *, uses_tls: bool, is_protected: bool) -> Finding:
    """Say how sure we are of the server at the other end, and how to be surer."""
    options = dict(url.options)
    mode, hosts = options.get("sslmode", "prefer"), [*url.host.split(","), options.get("hostaddr", "")]
    if is_socket(url.host, options):
        return Finding("ok", "tls", "a socket of this machine: no TLS is needed")
    if uses_tls and mode in VERIFIED:
        return Finding("ok", "tls", f"TLS, and the server's certificate is verified (sslmode={mode})")
    if uses_tls:
        what = f"TLS, but nobody has verified whose server it is (sslmode={mode})"
        return Finding(graver(is_protected=is_protected), "tls", what, VERIFY)
    if all(is_loopback(host) for host in hosts):
        return Finding("ok", "tls", "no TLS, on this machine")
    is_ours = all(is_private(host) for host in hosts)
    what = f"no TLS: passwords and rows cross {'a private network' if is_ours else 'the network'} in the clear (sslmode={mode})"
    return Finding(
        graver(is_protected=is_protected or not is_ours), "tls", what, f"switch TLS on in the server, then {VERIFY}"
    )


def judge_server(version: Version) -> Finding:
    """Say whether the server's version has a repair that it lacks; old is no reason to stop."""
    lacks = lacking_minor(version)
    if version[0] < OLDEST_SUPPORTED:
        what = f"server {shown(version)}: PostgreSQL {version[0]} gets no repairs any more"
        return Finding(
            "warning", "server-version", what, "plan an upgrade: https://www.postgresql.org/support/versioning/"
        )
    if lacks:
        what = f"server {shown(version)} is older than {lacks}, which closes known holes"
        return Finding("warning", "server-version", what, f"install PostgreSQL {lacks} or a later {version[0]} there")
    return Finding("ok", "server-version", f"server {shown(version)}")


def judge_tool(version: Version, place: str, fitting: str) -> Iterator[Finding]:
    """Name the known holes of the pg_dump that a backup would use.

    Args:
        version: Of pg_dump.
        place: Its folder.
        fitting: The package that would bring another.
    """
    holes = find_holes(version)
    for hole in holes:
        what = f"pg_dump {shown(version)} in {place} has {_named(hole)}"
        where = f"{hole.repaired_in(version[0])} or later" if hole.repaired_in(version[0]) else "a newer major"
        hint = f"install {where} (`{fitting}`), or set STILLROOM_PG_BIN to its folder"
        yield Finding("warning", "pg-dump-version", what, hint)
    if not holes:
        yield Finding("ok", "pg-dump-version", f"pg_dump {shown(version)} in {place}")


def judge_libpq(version: Version) -> Finding:
    """Name the known hole of the library that psycopg2 brings."""
    holes = find_holes(version, only_libpq=True)
    if not holes:
        return Finding("ok", "libpq-version", f"libpq {shown(version)}, which psycopg2 brings")
    what = f"libpq {shown(version)}, which psycopg2 brings, has {_named(holes[0])}"
    return Finding("warning", "libpq-version", what, "`pip install --upgrade psycopg2-binary`")


def _named(hole: Hole) -> str:
    return f"{hole.id}: {hole.what}"
