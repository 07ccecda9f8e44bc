"""What a statement makes: relations that nobody else uses before it commits."""

from __future__ import annotations

from collections.abc import Set

from stillroom.core.sql_text import Reader, Statement

_FIRST = ("or", "replace", "global", "local", "temp", "temporary", "unlogged", "recursive", "materialized", "foreign")
_RELATIONS = ("table", "view", "sequence")


def find_made(statement: Statement, made: Set[str]) -> tuple[tuple[str, str], ...]:
    """Name the relations that a statement makes.

    Args:
        statement: One statement.
        made: Relations made before: one of them that is renamed is still nobody else's.

    Returns:
        Each with the table it belongs to, if it is an index; else with an empty string.
    """
    reader = Reader(statement)
    if reader.takes("create"):
        return _created(reader)
    if reader.takes("alter") and any(reader.takes(each) for each in _RELATIONS):
        reader.takes("if", "exists")
        old = reader.relation()
        if old in made and reader.takes("rename", "to"):
            schema, dot, _ = old.rpartition(".")
            return ((f"{schema}{dot}{reader.relation()}", ""),)
    return ()


def _created(reader: Reader) -> tuple[tuple[str, str], ...]:
    if "replace" in [token.text for token in reader.tokens[1:3]]:
        return ()  # it may have been there before
    while reader.token is not None and reader.token.is_word(*_FIRST):
        reader.at += 1
    if any(reader.takes(each) for each in _RELATIONS):
        return () if reader.takes("if") else ((reader.relation(), ""),)
    reader.takes("unique")
    if not reader.takes("index"):
        return ()
    reader.takes("concurrently")
    reader.takes("if", "not", "exists")
    name = reader.relation()
    if name == "on" or not reader.takes("on"):
        return ()
    reader.takes("only")
    return ((name, reader.relation()),)
