"""K9: a hot standby, made by `pg_basebackup -R` from a server of the tests, that can be promoted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.faults.outside import free_port, until
from tests.faults.own_server import SUPERUSER, OwnServer, discard, new_server


@contextmanager
def hot_standby(primary: OwnServer) -> Iterator[OwnServer]:
    """Run a standby of a server as long as the block lasts; it follows within moments."""
    standby = replace(new_server(), programs=primary.programs, major=primary.major, port=free_port())
    standby.settings = {**primary.settings, "hot_standby": "on"}
    try:
        place = ["-h", str(primary.folder), "-p", str(primary.port), "-U", SUPERUSER]
        copied = primary.programs.run(
            "pg_basebackup", *place, "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast", "--no-sync"
        )
        assert copied.returncode == 0, copied.stderr
        standby.start()
        yield standby
    finally:
        discard(standby)


def wait_for_replay(primary: OwnServer, standby: OwnServer) -> None:
    """Wait until the standby has what the primary has now."""
    (position,) = primary.query("select pg_current_wal_flush_lsn()::text")[0]
    until(
        lambda: standby.query("select pg_last_wal_replay_lsn() >= %s::pg_lsn", position)[0][0],
        "the standby follows",
    )


def promote(standby: OwnServer) -> None:
    """Make the standby a primary of its own; the old one does not notice."""
    assert standby.query("select pg_promote(true, 30)") == [(True,)]
