"""The locks of one action of ALTER TABLE, on the table itself and on the other one it names.

Source: PostgreSQL documentation, "ALTER TABLE", the notes on locks under each form.
"""

from __future__ import annotations

from dataclasses import dataclass

from stillroom.core.locks.modes import ACCESS_EXCLUSIVE, CASCADE, SHARE_ROW_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE, Found
from stillroom.core.sql_text import Reader

# "An ACCESS EXCLUSIVE lock is acquired unless explicitly noted": the forms that note nothing.
_WHOLE = ("drop", "set", "reset", "owner", "replica", "rename", "of", "not", "no", "force", "alter")
_LIGHT = ("fillfactor", "toast_tuple_target", "parallel_workers", "vacuum_index_cleanup", "vacuum_truncate")
_CONSTRAINTS = ("primary", "unique", "check", "exclude", "not")


@dataclass(frozen=True)
class Action:
    """What one action locks.

    Args:
        mode: On the table that is altered.
        others: On the tables it names.
    """

    mode: str
    others: Found = ()


def find_action(reader: Reader) -> Action | None:
    """Tell what one action locks; None when it is not known."""
    if reader.takes("add"):
        return _add(reader)
    if reader.takes("validate") or reader.takes("cluster") or reader.takes("set", "without", "cluster"):
        return Action(SHARE_UPDATE_EXCLUSIVE)
    if reader.takes("enable") or reader.takes("disable"):
        return Action(SHARE_ROW_EXCLUSIVE if reader.has("trigger") else ACCESS_EXCLUSIVE)
    for words, mode, other in (
        (("attach", "partition"), SHARE_UPDATE_EXCLUSIVE, ACCESS_EXCLUSIVE),
        (("inherit",), ACCESS_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE),
    ):
        if reader.takes(*words):
            return Action(mode, ((reader.relation(), other),))
    if reader.takes("detach", "partition"):
        return _detach(reader)
    if _is_light(reader):
        return Action(SHARE_UPDATE_EXCLUSIVE)
    if reader.token is None or not reader.token.is_word(*_WHOLE):
        return None
    return Action(ACCESS_EXCLUSIVE, CASCADE if reader.takes("drop") and reader.has("cascade") else ())


def _add(reader: Reader) -> Action:
    if reader.takes("constraint"):
        reader.relation()
    referenced = find_referenced(reader)
    if reader.takes("foreign"):
        return Action(SHARE_ROW_EXCLUSIVE, referenced)
    is_constraint = reader.token is not None and reader.token.is_word(*_CONSTRAINTS)
    return Action(ACCESS_EXCLUSIVE, () if is_constraint else referenced)


def find_referenced(reader: Reader) -> Found:
    """Name the tables that foreign keys in the rest of the statement refer to."""
    found = []
    for index in range(reader.at, len(reader.tokens)):
        if reader.tokens[index].is_word("references"):
            there = Reader(reader.tokens)
            there.at = index + 1
            found.append((there.relation(), SHARE_ROW_EXCLUSIVE))
    return tuple(found)


def _detach(reader: Reader) -> Action | None:
    partition = reader.relation()
    if reader.takes("finalize"):
        return None
    mode = SHARE_UPDATE_EXCLUSIVE if reader.takes("concurrently") else ACCESS_EXCLUSIVE
    return Action(mode, ((partition, ACCESS_EXCLUSIVE),))


def _is_light(reader: Reader) -> bool:
    """Say whether it sets what the planner or autovacuum reads, and nothing else; the reader stays where it is."""
    ahead = Reader(reader.tokens)
    if ahead.takes("alter") and not ahead.takes("constraint"):
        ahead.takes("column")
        ahead.relation()
        return ahead.takes("set", "statistics") or (
            (ahead.takes("set") or ahead.takes("reset")) and ahead.takes_mark("(")
        )
    if not ((ahead.takes("set") or ahead.takes("reset")) and ahead.takes_mark("(")):
        return False
    names = []
    while ahead.token is not None:
        names.append(ahead.relation().removeprefix("toast."))
        while ahead.token is not None and not ahead.takes_mark(","):
            ahead.at += 1
    return all(each.startswith(("autovacuum_", "log_autovacuum_")) or each in _LIGHT for each in names if each)
