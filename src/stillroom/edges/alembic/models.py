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
        if name.split(".")[0] not in tops:
            continue
        for folder in map(Path, getattr(module, "__path__", ())):
            if folder.is_relative_to(layout.root):
                below = _modules_below(folder, layout.script_location)
                found |= {
                    str(each.relative_to(layout.root))
                    for each in below
                    if _dotted(name, each.relative_to(folder)) not in sys.modules and _has_tables(each)
                }
    return tuple(sorted(found))


def _dotted(package: str, path: Path) -> str:
    return ".".join([package, *(part for part in path.with_suffix("").parts if part != "__init__")])


def _modules_below(folder: Path, left_out: Path) -> Iterator[Path]:
    """Walk a package: its modules, and those of the folders in it, which Python imports with and without an `__init__.py`."""
    for each in sorted(folder.iterdir()):
        if each.is_dir() and each.name.isidentifier() and each.name != "__pycache__" and each != left_out:
            yield from _modules_below(each, left_out)
            if (each / "__init__.py").is_file():
                yield each / "__init__.py"
        elif each.suffix == ".py" and each.name != "__init__.py":
            yield each


def unimported_notes(unimported: tuple[str, ...]) -> tuple[str, ...]:
    """Say whose tables nobody compared."""
    missing = ", ".join(unimported)
    unknown = f"{missing}: nothing imports it, so its tables were not compared; import it in the models' package"
    return (unknown,) if missing else ()


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
