"""The locks of VACUUM, ANALYZE, CLUSTER and REINDEX.

Source: PostgreSQL documentation, the page of each command.
"""

from __future__ import annotations

from stillroom.core.locks.modes import ACCESS_EXCLUSIVE, SHARE, SHARE_UPDATE_EXCLUSIVE, TABLE_OF, UNKNOWN, Found
from stillroom.core.sql_text import Reader

_EVERY = (("every table", UNKNOWN),)


def find_maintenance_locks(reader: Reader) -> Found:
    """Name the tables behind the options of VACUUM, ANALYZE or CLUSTER; without any it is every table."""
    first = reader.tokens[0].text
    is_full = _takes_options(reader, "full")
    while reader.token is not None and reader.token.is_word("full", "freeze", "verbose", "analyze", "analyse"):
        is_full = is_full or reader.token.text == "full"
        reader.at += 1
    mode = ACCESS_EXCLUSIVE if is_full or first == "cluster" else SHARE_UPDATE_EXCLUSIVE
    found = []
    while name := reader.relation():
        found.append((name, mode))
        _takes_options(reader)  # the columns
        if not reader.takes_mark(","):
            break
    return tuple(found) or _EVERY


def find_reindex_locks(reader: Reader) -> Found:
    """Name what REINDEX rebuilds; planning any query on the table waits for its indexes."""
    is_concurrent = _takes_options(reader, "concurrently")
    kind = next((each for each in ("index", "table") if reader.takes(each)), "")
    is_concurrent = reader.takes("concurrently") or is_concurrent
    if not kind:
        return _EVERY
    name = reader.relation()
    table, index = (TABLE_OF + name, name) if kind == "index" else (name, f"the indexes of {name}")
    if is_concurrent:
        return ((table, SHARE_UPDATE_EXCLUSIVE),)
    return ((table, SHARE), (index, ACCESS_EXCLUSIVE))


def _takes_options(reader: Reader, wanted: str = "") -> bool:
    """Step over a list in brackets, and say whether it has an option that is not switched off."""
    found = False
    if reader.takes_mark("("):
        while reader.token is not None and not reader.takes_mark(")"):
            is_it = reader.token.is_word(wanted)
            reader.at += 1
            is_off = reader.token is not None and reader.token.text in {"false", "off", "0"}
            found = found or (is_it and not is_off)
    return found
