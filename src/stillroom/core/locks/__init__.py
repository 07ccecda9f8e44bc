"""Which relations the SQL of a plan locks, how strongly, and whom that keeps out.

Only the text is read, so this is the least that is locked: what a function or trigger does, the partitions of a table, and
the table at the other end of a foreign key that is dropped are known to the server alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stillroom.core.locks.making import find_made
from stillroom.core.locks.modes import BLOCKS, STRENGTH, TABLE_OF, UNKNOWN
from stillroom.core.locks.statements import find_locks
from stillroom.core.sql_text import Statement, read_statements


@dataclass(frozen=True)
class Lock:
    """One relation that is locked until the step commits.

    Args:
        relation: A table, view, index or sequence as it is written; for an unknown statement its first words.
        mode: PostgreSQL's name of the lock, as "ACCESS EXCLUSIVE"; "unknown" when the statement is not known.
        blocks: Whom it keeps out, in words; empty when that is unknown.
    """

    relation: str
    mode: str
    blocks: str


def plan_locks(steps: Iterable[str]) -> tuple[tuple[Lock, ...], ...]:
    """Tell what each step of a plan locks; what an earlier statement made is left out, because nobody else uses it.

    Args:
        steps: The SQL of each step, in the order of the plan.
    """
    made: set[str] = set()
    tables: dict[str, str] = {}
    return tuple(_step(read_statements(sql), made, tables) for sql in steps)


def _step(statements: tuple[Statement, ...], made: set[str], tables: dict[str, str]) -> tuple[Lock, ...]:
    """Keep the strongest lock of each relation, in the order they are taken.

    Args:
        statements: Of one step.
        made: Relations that the plan made so far; added to.
        tables: The table of each index that the plan made so far; added to.
    """
    found: dict[str, str] = {}
    for statement in statements:
        known = find_locks(statement)
        for relation, mode in ((_first_words(statement), UNKNOWN),) if known is None else known:
            index = relation.removeprefix(TABLE_OF)
            name = tables.get(index, relation) if index != relation else relation
            if name not in made and STRENGTH[mode] >= STRENGTH[found.get(name, UNKNOWN)]:
                found[name] = mode
        for name, table in find_made(statement, made):
            if table:
                tables[name] = table
            else:
                made.add(name)
    return tuple(Lock(relation, mode, BLOCKS[mode]) for relation, mode in found.items())


def _first_words(statement: Statement) -> str:
    return " ".join(token.text for token in statement[:4]) + (" …" if len(statement) > 4 else "")
