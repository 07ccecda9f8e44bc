"""A revision's whole text: the message put into it, its mark, and the checks after an editor had it."""

from __future__ import annotations

import ast

from stillroom.core.messages import docstring_text
from stillroom.core.script_parsing import HeaderError
from stillroom.core.script_text import read_header

UNREVIEWED = "# stillroom: unreviewed"


def add_mark(text: str) -> str:
    """Say in the first line that nobody has read the file."""
    return f"{UNREVIEWED}\n{remove_mark(text)}"


def remove_mark(text: str) -> str:
    """Take the mark away; it counts only as the first line."""
    first, _, rest = text.partition("\n")
    return rest if first.strip() == UNREVIEWED else text


def put_message(text: str, token: str, message: str) -> str:
    """Replace the token a template was rendered with by the message.

    Raises:
        ValueError: The file would then hold more than the message as text: the template puts it where code is.
    """
    written = text.replace(token, docstring_text(message))
    try:
        holds = ast.dump(ast.parse(written)) == ast.dump(_replace(ast.parse(text), token, message))
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if not holds:
        raise ValueError("the message does not stay inside a string")
    return written


def _replace(tree: ast.Module, token: str, message: str) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = node.value.replace(token, message)
    return tree


def find_problems(data: bytes, *, revision: str, down: str | None) -> tuple[str, ...]:
    """List what keeps a saved file out of the versions folder, in words.

    Args:
        data: The file as it was saved.
        revision: The id it was given.
        down: The revision it follows; None for the first one.
    """
    try:
        data.decode("utf-8")
        tree = compile(data, "<draft>", "exec", ast.PyCF_ONLY_AST)
        header = read_header(data, "")
    except UnicodeDecodeError as error:
        return (f"line {data[: error.start].count(10) + 1}: it is not UTF-8",)
    except SyntaxError as error:
        return (f"line {error.lineno or 1}: it does not compile ({error.msg})",)
    except (ValueError, RecursionError, HeaderError) as error:
        return (f"it cannot be read ({error})",)
    assert isinstance(tree, ast.Module)
    found = []
    if header is None:
        found.append("revision and down_revision are no plain strings any more")
    elif (header.id, header.down) != (revision, (down,) if down else ()):
        found.append(f'revision and down_revision must stay "{revision}" and {_quoted(down)}')
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    found += [f"{name}() is gone" for name in ("upgrade", "downgrade") if name not in defined]
    return (*found, *_unnamed_drops(tree))


def _unnamed_drops(tree: ast.Module) -> list[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _names_nothing(node)]
    return [f"line {call.lineno}: drop_constraint(None, …) cannot run; give the constraint's name" for call in calls]


def _names_nothing(call: ast.Call) -> bool:
    if not ast.unparse(call.func).endswith("drop_constraint"):
        return False
    given = call.args[:1] or [each.value for each in call.keywords if each.arg == "constraint_name"]
    return not given or (isinstance(given[0], ast.Constant) and given[0].value is None)


def _quoted(down: str | None) -> str:
    return f'"{down}"' if down else "None"
