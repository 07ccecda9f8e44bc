"""The locks of one statement, by its first word.

Source: PostgreSQL documentation, "Explicit Locking" and the page of each command.
"""

from __future__ import annotations

from collections.abc import Callable

from stillroom.core.locks.actions import find_referenced
from stillroom.core.locks.altering import find_alter_locks
from stillroom.core.locks.maintaining import find_maintenance_locks, find_reindex_locks
from stillroom.core.locks.modes import (
    ACCESS_EXCLUSIVE,
    CASCADE,
    EXCLUSIVE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    STRENGTH,
    TABLE_OF,
    Found,
)
from stillroom.core.locks.writing import find_copy_locks, find_row_locks
from stillroom.core.sql_text import Reader, Statement

_FIRST = ("global", "local", "temp", "temporary", "unlogged", "recursive", "constraint", "unique")
_RELATIONS = (("table",), ("foreign", "table"), ("view",), ("materialized", "view"), ("sequence",))
# Objects that are no relations and belong to none.
_APART = (
    "type", "domain", "function", "procedure", "routine", "aggregate", "operator", "cast", "collation", "conversion", "schema", "role",
    "user", "group", "database", "server", "language", "trusted", "procedural", "event", "text", "access", "transform", "tablespace",
)  # fmt: skip


def find_locks(statement: Statement) -> Found | None:
    """Name the relations that a statement locks more than for reading; None when the statement is not known."""
    first = statement[0]
    find = _BY_WORD.get(first.text) if first.kind == "word" else None
    reader = Reader(statement)
    reader.at = 1
    return find(reader) if find else None


def _create(reader: Reader) -> Found | None:
    replaces = reader.takes("or", "replace")
    while reader.token is not None and reader.token.is_word(*_FIRST):
        reader.at += 1
    if reader.takes("index"):
        mode = SHARE_UPDATE_EXCLUSIVE if reader.takes("concurrently") else SHARE
        return _after(reader, "on", mode)
    if reader.takes("table") or reader.takes("foreign", "table"):
        return _create_table(reader)
    if reader.takes("view"):
        return ((reader.relation(), ACCESS_EXCLUSIVE),) if replaces else ()
    for word, before, mode in (
        ("trigger", "on", SHARE_ROW_EXCLUSIVE),
        ("policy", "on", ACCESS_EXCLUSIVE),
        ("rule", "to", ACCESS_EXCLUSIVE),
        ("statistics", "from", SHARE_UPDATE_EXCLUSIVE),
    ):
        if reader.takes(word):
            return _after(reader, before, mode)
    is_apart = reader.token is not None and reader.token.is_word(*_APART, "sequence", "materialized", "extension")
    return () if is_apart or reader.takes("foreign", "data") else None


def _create_table(reader: Reader) -> Found:
    reader.takes("if", "not", "exists")
    reader.relation()
    found = find_referenced(reader)
    if reader.takes("partition", "of"):
        return ((reader.relation(), ACCESS_EXCLUSIVE), *found)
    if reader.skip_to("inherits") and reader.takes_mark("("):
        found += tuple((each, SHARE_UPDATE_EXCLUSIVE) for each in reader.relations())
    return found


def _after(reader: Reader, word: str, mode: str) -> Found | None:
    """Read the relation behind a keyword."""
    if not reader.skip_to(word):
        return None
    reader.takes("only")
    return ((reader.relation(), mode),)


def _drop(reader: Reader) -> Found | None:
    rest = CASCADE if reader.has("cascade") else ()
    if any(reader.takes(*words) for words in _RELATIONS):
        reader.takes("if", "exists")
        return (*((each, ACCESS_EXCLUSIVE) for each in reader.relations()), *rest)
    if reader.takes("index"):
        mode = SHARE_UPDATE_EXCLUSIVE if reader.takes("concurrently") else ACCESS_EXCLUSIVE
        reader.takes("if", "exists")
        return (*((TABLE_OF + each, mode) for each in reader.relations()), *rest)
    if reader.takes("trigger") or reader.takes("rule") or reader.takes("policy"):
        return _after(reader, "on", ACCESS_EXCLUSIVE)
    return rest if reader.token is not None and reader.token.is_word(*_APART) else None


def _truncate(reader: Reader) -> Found:
    reader.takes("table")
    found = tuple((each, ACCESS_EXCLUSIVE) for each in reader.relations())
    return (*found, *(CASCADE if reader.has("cascade") else ()))


def _comment(reader: Reader) -> Found:
    reader.takes("on")
    if any(reader.takes(*words) for words in (*_RELATIONS, ("index",))):
        return ((reader.relation(), SHARE_UPDATE_EXCLUSIVE),)
    if reader.takes("column"):
        return ((reader.relation().rpartition(".")[0], SHARE_UPDATE_EXCLUSIVE),)
    return ()


def _refresh(reader: Reader) -> Found | None:
    if not reader.takes("materialized", "view"):
        return None
    mode = EXCLUSIVE if reader.takes("concurrently") else ACCESS_EXCLUSIVE
    return ((reader.relation(), mode),)


def _lock(reader: Reader) -> Found | None:
    reader.takes("table")
    names = reader.relations()
    mode = ACCESS_EXCLUSIVE
    if reader.takes("in"):
        words = []
        while reader.token is not None and not reader.takes("mode"):
            words.append(reader.token.text.upper())
            reader.at += 1
        mode = " ".join(words)
    return tuple((each, mode) for each in names) if mode in STRENGTH else ()


def _nothing(_: Reader) -> Found:
    return ()


_NOTHING = (
    "set", "reset", "show", "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "grant", "revoke", "notify",
    "listen", "unlisten", "checkpoint", "deallocate", "discard",
)  # fmt: skip
_BY_WORD: dict[str, Callable[[Reader], Found | None]] = {
    **dict.fromkeys(_NOTHING, _nothing),
    **dict.fromkeys(("insert", "update", "delete", "merge", "with", "select", "values", "table"), find_row_locks),
    **dict.fromkeys(("vacuum", "analyze", "analyse", "cluster"), find_maintenance_locks),
    "alter": find_alter_locks,
    "comment": _comment,
    "copy": find_copy_locks,
    "create": _create,
    "drop": _drop,
    "lock": _lock,
    "refresh": _refresh,
    "reindex": find_reindex_locks,
    "truncate": _truncate,
}
