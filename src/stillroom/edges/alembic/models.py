"""Which of the project's model modules were imported, asked after env.py has run."""

from __future__ import annotations

import ast
import sys
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
        siblings = [each for each in place.parent.glob("*.py") if each != place]
        found |= {str(each.relative_to(layout.root)) for each in siblings if f"{name}.{each.stem}" not in sys.modules}
    return tuple(sorted(found))


def _imported_by(env: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(env.read_bytes())))
    froms = {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return froms | {each.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for each in node.names}
