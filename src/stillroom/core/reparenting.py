"""A revision file made to follow another revision: its parent's id and the "Revises:" line change, no other byte."""

from __future__ import annotations

import ast
import re

from stillroom.core.script_parsing import HeaderError
from stillroom.core.script_text import read_header

_LITERAL = re.compile(rb"\A(?:(['\"])[^'\"\\\n]*\1|None)\Z")


class NotPlainError(Exception):
    """The text is not one in which the parent can be replaced; the message says why."""


def follow(data: bytes, parent: str) -> bytes:
    """Return the file as it is when it follows this revision.

    Args:
        data: The whole file.
        parent: A revision id that is safe in a string.

    Raises:
        NotPlainError: The parent is not written as one plain string or None, or the file cannot be read.
    """
    try:
        before = read_header(data, "")
        tree = ast.parse(data.decode("utf-8-sig"))
    except (HeaderError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotPlainError(f"it cannot be read ({error})") from None
    if before is None or len(before.down) > 1:
        raise NotPlainError("its `down_revision` is not one plain string")
    start, end = _find_literal(data, tree)
    literal = data[start:end]
    quote = literal[:1] if literal[:1] in {b"'", b'"'} else b'"'
    written = data[:start] + quote + parent.encode("ascii") + quote + data[end:]
    old = before.down[0] if before.down else ""
    changed = _rename_in_docstring(written, tree, old, parent, before_byte=start)
    after = read_header(changed, "")
    if after is None or (after.id, after.down) != (before.id, (parent,)):
        raise NotPlainError("its `down_revision` does not stay what is put there")
    return changed


def _find_literal(data: bytes, tree: ast.Module) -> tuple[int, int]:
    values = [value for node in tree.body for value in _parents_given(node)]
    everywhere = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "down_revision"]
    if len(values) != 1 or not isinstance(values[0], ast.Constant) or len(everywhere) != 1:
        raise NotPlainError("`down_revision` is not assigned once, to one plain string")
    node = values[0]
    start = _offset(data, node.lineno, node.col_offset)
    end = _offset(data, node.end_lineno or node.lineno, node.end_col_offset or 0)
    if not _LITERAL.match(data[start:end]):
        raise NotPlainError("its `down_revision` is not one plain string")
    return start, end


def _parents_given(node: ast.stmt) -> list[ast.expr | None]:
    if isinstance(node, ast.Assign):
        return [node.value for each in node.targets if isinstance(each, ast.Name) and each.id == "down_revision"]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "down_revision":
        return [node.value]
    return []


def _offset(data: bytes, line: int, column: int) -> int:
    """Turn the parser's line and column, which count UTF-8, into a place in the file."""
    lines = data.splitlines(keepends=True)
    mark = 3 if line == 1 and data.startswith(b"\xef\xbb\xbf") else 0
    return sum(len(each) for each in lines[: line - 1]) + column + mark


def _rename_in_docstring(data: bytes, tree: ast.Module, old: str, new: str, *, before_byte: int) -> bytes:
    """Put the new parent into the docstring's "Revises:" line, where that names the old one."""
    if ast.get_docstring(tree, clean=False) is None:
        return data
    first = tree.body[0]
    start = _offset(data, first.lineno, first.col_offset)
    end = _offset(data, first.end_lineno or first.lineno, first.end_col_offset or 0)
    if end > before_byte:
        return data
    line = re.compile(rb"^([ \t]*Revises:)[ \t]*" + re.escape(old.encode()) + rb"(?=[ \t]*\r?$)", re.MULTILINE)
    text, count = line.subn(lambda found: found[1] + b" " + new.encode("ascii"), data[start:end])
    return data[:start] + text + data[end:] if count == 1 else data
