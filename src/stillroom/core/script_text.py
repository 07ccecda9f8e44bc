"""What a revision file says about itself, read from its text up to the first `def`."""

from __future__ import annotations

import ast
import re

from stillroom.core.history import Revision
from stillroom.core.script_parsing import HeaderError, decode_script, parse_script

NAMES = ("revision", "down_revision", "depends_on", "branch_labels")
_END = re.compile(rb"^(?:def |async |class |@)", re.MULTILINE)
_DOC = re.compile(
    r'\A(?:\s*#[^\n]*\n|\s)*(?:"""((?:[^"\\]|"(?!""))*)"""|\'\'\'((?:[^\'\\]|\'(?!\'\'))*)\'\'\')[ \t]*\n'
)
_PLAIN = re.compile(
    r"^(revision|down_revision|depends_on|branch_labels)(?:[ \t]*:[^=\n]+)?[ \t]*=[ \t]*(?:'([^'\"\\\n]*)'|\"([^'\"\\\n]*)\"|(None))[ \t]*(?:#[^\n]*)?$",
    re.MULTILINE,
)
_ANY = re.compile(r"\b(?:revision|down_revision|depends_on|branch_labels)\b(?=[ \t]*(?::[^=\n]+)?=(?!=))")
_QUOTES = re.compile(r"\"\"\"|'''|[{(\[][ \t]*$", re.MULTILINE)


def has_header(data: bytes) -> bool:
    """Say whether the beginning of a file reaches to its first `def`."""
    return _END.search(data) is not None


def read_header(data: bytes, path: str) -> Revision | None:
    """Read the revision's id, parents, labels and message.

    Args:
        data: The beginning of the file, its first `def` included if it has one.
        path: The file's name, kept in the result.

    Returns:
        None when the id or a parent is no literal, which only Alembic can settle.

    Raises:
        HeaderError: Not UTF-8, a NUL byte, a syntax error, or no revision id.
    """
    end = _END.search(data)
    text = decode_script(data[: end.start()] if end else data)
    return _read_plain(text, path) or _read_parsed(text, path)


def _read_plain(text: str, path: str) -> Revision | None:
    """Read the common form by pattern, some 20 times as fast as parsing; None for anything unusual."""
    doc = _DOC.match(text)
    body = text[doc.end() :] if doc else text
    if _QUOTES.search(body):
        return None
    found = _PLAIN.findall(body)
    if len(found) != len(_ANY.findall(body)):
        return None
    values = {name: (single or double) if not none else None for name, single, double, none in found}
    revision = values.get("revision")
    if len(values) != len(found) or not revision or "down_revision" not in values:
        return None
    message = (doc.group(1) or doc.group(2) or "").strip().split("\n")[0] if doc else ""
    return Revision(
        revision,
        _names(values["down_revision"]),
        _names(values.get("depends_on")),
        _names(values.get("branch_labels")),
        message,
        path,
    )


def _read_parsed(text: str, path: str) -> Revision | None:
    tree = parse_script(text)
    given = {name: value for node in tree.body for name, value in _assigned(node)}
    if "revision" not in given:
        raise HeaderError("line 1: it has no `revision`, so it is no revision file")
    try:
        values = {name: ast.literal_eval(given[name]) for name in NAMES if name in given}
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None
    if not isinstance(values["revision"], str):
        return None
    message = (ast.get_docstring(tree) or "").strip().split("\n")[0]
    down, depends_on, labels = (_names(values.get(name)) for name in NAMES[1:])
    return Revision(values["revision"], down, depends_on, labels, message, path)


def _assigned(node: ast.stmt) -> list[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        return [
            (target.id, node.value) for target in node.targets if isinstance(target, ast.Name) and target.id in NAMES
        ]
    if (
        isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id in NAMES
        and node.value is not None
    ):
        return [(node.target.id, node.value)]
    return []


def _names(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(str(each) for each in value)
    raise HeaderError(f"line 1: {value!r} is no revision id")
