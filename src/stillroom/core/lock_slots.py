"""How many lock slots a server needs for a backup, which holds every table at once."""

from __future__ import annotations

from dataclasses import dataclass

BESIDE = 500  # what pg_dump holds of the catalog, and what others hold meanwhile
HINT = "set `max_locks_per_transaction = {}` in the server's configuration and restart it; nothing was kept, older backups are untouched"


@dataclass(frozen=True)
class Slots:
    """A server's settings, and what is to be locked.

    Args:
        per_transaction: max_locks_per_transaction.
        connections: max_connections.
        prepared: max_prepared_transactions.
        relations: Tables and sequences of the database.
    """

    per_transaction: int
    connections: int
    prepared: int
    relations: int


def suggest(slots: Slots) -> int:
    """Return a `max_locks_per_transaction` that suffices: a power of two, at least twice today's.

    The server shares out this number times all connections, whoever needs them.
    """
    wanted = max((slots.relations + BESIDE) / max(slots.connections + slots.prepared, 1), 2 * slots.per_transaction, 1)
    number = 1
    while number < wanted:
        number *= 2
    return number
