"""Who may import whom, where a task's files lie, and what may be read or printed where; `design` is in ARCHITECTURE.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "stillroom"
MODULES = sorted(SOURCE.rglob("*.py"))
# The standard library's data modules: nothing in them reads a clock, a file, a socket or the environment by itself.
DATA_MODULES = {
    "__future__", "ast", "base64", "collections", "configparser", "copy", "dataclasses", "datetime", "decimal", "difflib", "enum", "functools", "hashlib",
    "heapq", "ipaddress", "itertools", "json", "keyword", "math", "os", "pathlib", "re", "shlex", "string", "struct", "textwrap", "types", "typing",
    "unicodedata", "urllib",
}  # fmt: skip
LAYERS = {
    "core": {"core", "errors"},
    "report": {"report", "core", "errors", "commands"},
    "edges": {"edges", "core", "errors"},
    "commands": {"commands", "core", "errors", "edges", "settings", "report"},
    "settings": {"settings", "core", "errors"},
    "tasks": {"tasks", "cli", "commands", "core", "errors"},
}
OUTSIDE_CALLS = {("os", "environ"), ("os", "getenv"), ("os", "putenv")}


def _name(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def _layer(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _imports(path: Path, *, with_types: bool = True) -> Iterator[str]:
    tree = _tree(path)
    typing_only = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not with_types and id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_layer_imports_only_what_lies_below_it(path: Path) -> None:
    layer = _layer(path)
    allowed = LAYERS.get(layer)
    if allowed is None:
        return

    for module in _imports(path, with_types=layer not in {"report"}):
        if module.startswith("stillroom."):
            assert module.split(".")[1] in allowed, f"{_name(path)} imports {module}"


@pytest.mark.parametrize("path", [each for each in MODULES if _layer(each) in {"core", "report"}], ids=_name)
def test_pure_modules_import_data_modules_only(path: Path) -> None:
    for module in _imports(path, with_types=False):
        if not module.startswith("stillroom"):
            assert module.split(".")[0] in DATA_MODULES, f"{_name(path)} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_alembic_and_sqlalchemy_are_imported_in_their_rooms_only(path: Path) -> None:
    if _name(path).startswith("edges/alembic/") or _name(path) in {"env.py"}:
        return

    for module in _imports(path, with_types=False):
        assert module.split(".")[0] not in {"alembic", "sqlalchemy", "sqlmodel"}, f"{_name(path)} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    if _layer(path) == "settings":
        return

    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in OUTSIDE_CALLS, f"{_name(path)}:{node.lineno} reads the environment"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_nothing_prints_past_the_door(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "input"}, (
                f"{_name(path)}:{node.lineno} talks past cli.py and edges/terminal.py"
            )


@pytest.mark.parametrize("path", [each for each in MODULES if each.name != "connect.py"], ids=_name)
def test_only_one_place_opens_connections(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) != "psycopg2.connect", (
                f"{_name(path)}:{node.lineno} opens a connection of its own"
            )


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_outside_programs_get_lists_and_no_shell(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            assert not any(each.arg == "shell" for each in node.keywords), f"{_name(path)}:{node.lineno} uses a shell"
            assert ast.unparse(node.func) not in {"os.system", "os.popen"}, f"{_name(path)}:{node.lineno} uses a shell"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_platform_modules_are_imported_where_they_are_used(path: Path) -> None:
    """Native Windows has none of these; every module must still import there."""
    for node in _tree(path).body:
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        assert not {"fcntl", "pwd", "pty", "grp", "termios", "resource"}.intersection(names), (
            f"{_name(path)}:{node.lineno}"
        )


def _commands() -> list[Path]:
    found = sorted((SOURCE / "commands").rglob("*.py"))
    return [each for each in found if not each.name.startswith("_")]


@pytest.mark.parametrize("path", _commands(), ids=_name)
def test_a_task_has_one_name_in_four_places(path: Path) -> None:
    place = path.relative_to(SOURCE / "commands")
    page = ".".join(place.with_suffix("").parts).replace("_", "-")

    assert (SOURCE / "report" / place).exists()
    assert (ROOT / "tests" / "commands" / place.with_name(f"test_{place.name}")).exists()
    assert (ROOT / "docs" / "commands" / f"{page}.md").exists()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_is_small_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text("utf-8")

    assert ast.get_docstring(ast.parse(text)), f"{_name(path)} has no docstring"
    assert text.count("\n") <= 300, f"{_name(path)} is too long"
