"""Members of an enum type where they stand in a definition that the server has written, worded anew."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = r'(?P<cast>(?:"(?:[^"]|"")*"|\w+)(?:\.(?:"(?:[^"]|"")*"|\w+))*)'
_LITERAL = re.compile(rf"""'(?P<text>(?:[^']|'')*)'(?:::{_NAME}(?P<brackets>\[\])?)?|(?P<other>"(?:[^"]|"")*")""")
_CAST = re.compile(rf"""'(?:[^']|'')*'|::{_NAME}|(?:"(?:[^"]|"")*")""")
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)')


def reword(definition: str, spelled: str, changes: Mapping[str, str]) -> str:
    """Put new members in the place of old ones: in literals of this type and of arrays of it, and in no others.

    Args:
        definition: SQL as `pg_get_expr` and its like write it.
        spelled: The type's name as it is written there.
        changes: Old to new; an old one that gets nothing goes from arrays.
    """

    def one(match: re.Match[str]) -> str:
        if match["cast"] != spelled:
            return match[0]
        text, brackets = match["text"].replace("''", "'"), match["brackets"] or ""
        new = _reword_array(text, changes) if brackets else changes.get(text) or text
        return "'" + new.replace("'", "''") + f"'::{spelled}{brackets}"

    return _LITERAL.sub(one, definition)


def respell(definition: str, spelled: str, new: str) -> str:
    """Call the type otherwise wherever something is cast to it."""
    return _CAST.sub(lambda match: f"::{new}" if match["cast"] == spelled else match[0], definition)


def _reword_array(text: str, changes: Mapping[str, str]) -> str:
    found = []
    for quoted, bare in _ELEMENT.findall(text):
        element = re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        new = changes.get(element, element)
        if new:
            found.append(new)
    return "{" + ",".join(map(_element, found)) + "}"


def _element(label: str) -> str:
    """Quote an element of an array where the server would."""
    if re.fullmatch(r"[^\s{},\"\\]+", label) and label.upper() != "NULL":
        return label
    return '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'
