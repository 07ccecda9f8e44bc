"""Which tables a revision file makes, told from its text: for a step that cannot be rendered, or must not be believed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stillroom.core.created_tables import Table, find_mentioned_tables
from stillroom.core.script_parsing import decode_script, parse_script

GUARDS = (ast.If, ast.IfExp, ast.BoolOp, ast.Match)


def find_tables_in_script(data: bytes, *, is_strict: bool) -> tuple[Table, ...]:
    """Name the tables of `create_table("name"` outside of `downgrade()`, each with its schema where that is a literal.

    Args:
        data: The whole file.
        is_strict: Count those under an `if`, behind an `if` that returns, or made IF NOT EXISTS, too, and each CREATE
            TABLE in a string.

    Raises:
        HeaderError: It does not parse.
    """
    found: list[Table] = []
    for node, is_guarded in _nodes(parse_script(decode_script(data))):
        if isinstance(node, ast.Call) and (is_strict or not is_guarded):
            found += _created(node, is_strict=is_strict)
        elif is_strict and isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += find_mentioned_tables(node.value)
    return tuple(dict.fromkeys(found))


def _nodes(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """Yield what runs forward, and whether it does so on a condition; docstrings are left out."""
    todo: list[tuple[ast.AST, bool]] = [(tree, False)]
    while todo:  # a loop and no recursion: the parser accepts what is nested deeper than Python may call
        node, is_guarded = todo.pop()
        if isinstance(node, ast.FunctionDef) and node.name == "downgrade":
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        yield node, is_guarded
        todo.extend(_children(node, is_guarded=is_guarded or isinstance(node, GUARDS)))


def _children(node: ast.AST, *, is_guarded: bool) -> Iterator[tuple[ast.AST, bool]]:
    for _, value in ast.iter_fields(node):
        is_behind = is_guarded
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield each, is_behind
                is_behind = is_behind or (isinstance(each, ast.If) and _returns(each))


def _returns(node: ast.If) -> bool:
    return any(isinstance(each, ast.Return) for each in ast.walk(node))


def _created(call: ast.Call, *, is_strict: bool) -> list[Table]:
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "create_table":
        return []
    given = {each.arg: each.value for each in call.keywords}
    if not is_strict and "if_not_exists" in given:
        return []
    name = _text(call.args[0] if call.args else given.get("table_name"))
    return [(_text(given.get("schema")), name)] if name else []


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
