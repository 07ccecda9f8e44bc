"""The locks of ALTER.

Source: PostgreSQL documentation, "ALTER TABLE": "An ACCESS EXCLUSIVE lock is acquired unless explicitly noted."
"""

from __future__ import annotations

from stillroom.core.locks.actions import find_action
from stillroom.core.locks.modes import (
    ACCESS_EXCLUSIVE,
    CASCADE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    Found,
    strongest,
)
from stillroom.core.sql_text import Reader, Statement, Token

# They change no rows and lock no relation.
_HARMLESS = (
    "function", "procedure", "routine", "aggregate", "operator", "collation", "conversion", "role", "user", "group", "database",
    "schema", "default", "system", "language", "server", "tablespace", "text", "event", "large",
)  # fmt: skip


def find_alter_locks(reader: Reader) -> Found | None:
    """Tell what an ALTER locks; None when it is not known.

    Args:
        reader: Past the ALTER.
    """
    if reader.takes("foreign", "table") or reader.takes("materialized", "view") or reader.takes("table"):
        return _alter_table(reader)
    if reader.takes("view"):
        return _named(reader, ACCESS_EXCLUSIVE)
    if reader.takes("sequence"):
        is_whole = reader.has("rename", "owner", "schema", "logged", "unlogged")
        return _named(reader, ACCESS_EXCLUSIVE if is_whole else SHARE_ROW_EXCLUSIVE)
    if reader.takes("index"):
        return _alter_index(reader)
    if reader.takes("trigger") or reader.takes("policy") or reader.takes("rule"):
        return ((reader.relation(), ACCESS_EXCLUSIVE),) if reader.skip_to("on") else None
    if reader.takes("type"):
        return _alter_type(reader)
    if reader.takes("domain"):
        return None if reader.has("add", "validate", "not") else ()
    return () if reader.token is not None and reader.token.is_word(*_HARMLESS) else None


def _named(reader: Reader, mode: str) -> Found:
    reader.takes("if", "exists")
    return ((reader.relation(), mode),)


def _alter_type(reader: Reader) -> Found:
    if not reader.has("attribute"):
        return ()
    return (*_named(reader, ACCESS_EXCLUSIVE), *(CASCADE if reader.has("cascade") else ()))


def _alter_index(reader: Reader) -> Found | None:
    reader.takes("if", "exists")
    name = reader.relation()
    if reader.takes("rename", "to") or (reader.takes("set") or reader.takes("reset")):
        return ((name, ACCESS_EXCLUSIVE if reader.takes("tablespace") else SHARE_UPDATE_EXCLUSIVE),)
    return ((name, SHARE_UPDATE_EXCLUSIVE),) if reader.has("statistics") else None


def _alter_table(reader: Reader) -> Found | None:
    if reader.takes("all"):
        return None
    reader.takes("if", "exists")
    reader.takes("only")
    table = reader.relation()
    reader.takes_mark("*")
    modes: list[str] = []
    others: list[tuple[str, str]] = []
    for action in _actions(reader.tokens[reader.at :]):
        found = find_action(Reader(action))
        if found is None:
            return None
        modes.append(found.mode)
        others += found.others
    return ((table, strongest(tuple(modes))), *others) if modes else None


def _actions(tokens: Statement) -> list[Statement]:
    """Cut at the commas outside of brackets."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "mark" else 0
        if not depth and token == Token("mark", ","):
            found.append([])
        else:
            found[-1].append(token)
    return [tuple(each) for each in found if each]
