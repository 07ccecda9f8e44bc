"""Which of the project's model modules were imported, asked after env.py has run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.core.layout import Layout


def find_unimported(layout: Layout) -> tuple[str, ...]:
    """Name the modules beside those that env.py imports that nothing imported: their tables are unknown."""
    tops = _imported_by(layout.script_location / "env.py") - {"stillroom"}
    found: set[str] = set()
    for name, module in list(sys.modules.items()):
        place = Path(getattr(module, "__file__", None) or "/")
        if name.split(".")[0] not in tops or place.name != "__init__.py" or not place.is_relative_to(layout.root):
            continue
        for each in _modules_below(place.parent):
            inside = each.relative_to(place.parent).with_suffix("").parts
            dotted = ".".join([name, *(part for part in inside if part != "__init__")])
            if dotted not in sys.modules and _has_tables(each):
                found.add(str(each.relative_to(layout.root)))
    return tuple(sorted(found))


def _modules_below(folder: Path) -> Iterator[Path]:
    """Walk a package: its modules, and those of the packages in it."""
    for each in sorted(folder.iterdir()):
        if each.is_dir() and (each / "__init__.py").is_file():
            yield from _modules_below(each)
        if each.suffix == ".py" and each != folder / "__init__.py":
            yield each
        elif each.is_dir() and (each / "__init__.py").is_file():
            yield each / "__init__.py"


def _has_tables(path: Path) -> bool:
    """Tell a module with tables from a helper, without importing it."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(each in text for each in ("table=True", "__tablename__", "Table("))


def _imported_by(env: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(env.read_bytes())))
    froms = {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return froms | {each.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for each in node.names}
