"""Whether a revision file has its two functions, read from its text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from stillroom.core.script_parsing import decode_script, parse_script

FUNCTIONS = ("upgrade", "downgrade")


def find_missing_functions(data: bytes) -> tuple[str, ...]:
    """Name those of `upgrade` and `downgrade` that the file does not bind, in whatever way.

    Args:
        data: The whole file.

    Raises:
        HeaderError: It does not parse.
    """
    bound = set(_bound(parse_script(decode_script(data)).body))
    return () if "*" in bound else tuple(each for each in FUNCTIONS if each not in bound)


def _bound(body: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that the module's own statements bind; those inside a function or class are its own."""
    todo = list(body)
    while todo:  # a loop and no recursion: the parser accepts what is nested deeper than Python may call
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        else:
            todo.extend(ast.iter_child_nodes(node))
