"""The two hashes of a revision file: of its bytes, and of what it does."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from typing import Any

from stillroom.core.script_parsing import decode_script, parse_script

# They are compared by themselves: a step keeps what its revision follows.
GRAPH = {"revision", "down_revision", "branch_labels", "depends_on"}
# What says how code is written, or what it is for, and not what it does.
UNSEEN = {"ctx", "kind", "type_comment", "type_params", "annotation", "returns", "simple", "type_ignores"}


def hash_script(data: bytes) -> str:
    """Hash the bytes of a script."""
    return hashlib.sha256(data).hexdigest()


def hash_tree(data: bytes) -> str:
    """Hash the functions, classes and constants of a script, without comments, layout, docstrings and annotations.

    The same text gives the same hash under every version of Python: `ast.dump` writes each one's own fields.

    Raises:
        HeaderError: It does not parse.
    """
    body = [each for each in parse_script(decode_script(data)).body if _counts(each)]
    return hashlib.sha256("\n".join(_written(body)).encode("utf-8", "surrogatepass")).hexdigest()


def _counts(node: ast.stmt) -> bool:
    """Leave out imports, the module's docstring, and the names of the graph."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    names = {each.id for each in targets if isinstance(each, ast.Name)}
    return not (names and names <= GRAPH) and not _is_docstring(node)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _written(roots: list[ast.stmt]) -> Iterator[str]:
    """Write the trees down, one node or value a line; a loop and no recursion, because scripts may be nested deeply."""
    todo: list[tuple[int, str, Any]] = [(0, "", each) for each in reversed(roots)]
    while todo:
        depth, name, value = todo.pop()
        if not isinstance(value, ast.AST):
            yield f"{depth} {name} {type(value).__name__} {value!r}"
            continue
        kind = "Assign" if isinstance(value, ast.AnnAssign) else type(value).__name__
        yield f"{depth} {name} {kind}"
        todo += reversed([(depth + 1, *each) for each in _fields(value)])


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    for name, value in ast.iter_fields(node):
        if name in UNSEEN or value is None or value == []:
            if name == "value" and value is None:
                yield name, value  # the constant None
            continue
        if not isinstance(value, list):
            yield ("targets" if isinstance(node, ast.AnnAssign) and name == "target" else name), value
            continue
        for each in value:
            if each is None or (name == "body" and isinstance(each, ast.AST) and _is_docstring(each)):
                continue
            yield name, each
