"""Where a project keeps its Alembic files, read from the text of alembic.ini and env.py."""

from __future__ import annotations

import ast
import configparser
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from stillroom.errors import RefusedError, SettingsError

ENV_LINES = "from models import SQLModel\nfrom stillroom.env import run\n\nrun(SQLModel.metadata)"


@dataclass(frozen=True)
class Layout:
    """The places and names that Alembic's files give.

    Args:
        root: The folder of alembic.ini.
        script_location: The folder of env.py.
        version_folders: Where revisions lie; new ones go to the first.
        is_recursive: Whether folders below are read too.
        version_table: The table that holds the current revision.
        version_table_schema: Its schema; None for the first of the search path.
        ini_url: `sqlalchemy.url`, or an empty string.
        seed: The project's seed function, as "module:function", or an empty string.
        python_folders: What `prepend_sys_path` adds.
        has_write_hooks: Programs of the project run on each new revision.
    """

    root: Path
    script_location: Path
    version_folders: tuple[Path, ...]
    is_recursive: bool = False
    version_table: str = "alembic_version"
    version_table_schema: str | None = None
    ini_url: str = ""
    seed: str = ""
    python_folders: tuple[Path, ...] = ()
    has_write_hooks: bool = False


def read_ini(text: str, root: Path) -> Layout:
    """Read what alembic.ini says about places.

    Raises:
        SettingsError: It does not parse, or has no script_location.
    """
    parser = configparser.ConfigParser({"here": str(root).replace("%", "%%")}, interpolation=None)
    try:
        parser.read_string(text)
        section = parser["alembic"]
        location = section["script_location"]
    except (configparser.Error, KeyError) as error:
        line = getattr(error, "lineno", None)
        where = f", line {line}" if line else ""
        raise SettingsError(
            f"alembic.ini{where}: no `script_location` under [alembic] can be read",
            hint="see `alembic.ini` of the README's project",
        ) from None
    script_location = _place(location, root)
    listed = section.get("version_locations", "")
    folders = (
        tuple(_place(each, root) for each in _split(listed, section.get("path_separator", "")))
        if listed
        else (script_location / "versions",)
    )
    recursive = section.get("recursive_version_locations", "false").lower() in {"true", "1", "yes", "on"}
    separator = section.get("path_separator", "")
    return Layout(
        root,
        script_location,
        folders,
        recursive,
        ini_url=section.get("sqlalchemy.url", "").replace("%%", "%").strip(),
        seed=parser.get("stillroom", "seed", fallback="").strip(),
        has_write_hooks=bool(parser.get("post_write_hooks", "hooks", fallback="").strip()),
        python_folders=tuple(_place(each, root) for each in _split(section.get("prepend_sys_path", ""), separator)),
    )


def _place(text: str, root: Path) -> Path:
    return root / Path(text.strip().replace("%(here)s", str(root)).replace("%%", "%"))


def _split(text: str, separator: str) -> list[str]:
    pattern = {"os": re.escape(os.pathsep), "space": r"\s+", "newline": r"\n", ":": ":", ";": ";"}.get(
        separator, r"[\s,]+|" + re.escape(os.pathsep)
    )
    return [each for each in re.split(pattern, text) if each.strip()]


def read_env(text: str, layout: Layout, name: str) -> Layout:
    """Look in env.py for the call of `stillroom.env.run`, and for the version table it names.

    Raises:
        RefusedError: The call is not there: then nothing would lock, and nothing would time out.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        said = (
            "nested too deeply"
            if isinstance(error, RecursionError | MemoryError)
            else getattr(error, "msg", "NUL byte")
        )
        raise RefusedError(
            f"{name}, line {line}: does not parse ({said})",
            hint=f"correct it; these lines are enough:\n{ENV_LINES}",
        ) from None
    call = next((node for node in ast.walk(tree) if _is_run(node, tree)), None)
    if not isinstance(call, ast.Call):
        raise RefusedError(
            f"{name} does not call `stillroom.env.run`, so nothing would lock or time out",
            hint=f"paste these lines into it:\n{ENV_LINES}",
        )
    given = {each.arg: each.value.value for each in call.keywords if isinstance(each.value, ast.Constant)}
    table, schema = given.get("version_table"), given.get("version_table_schema")
    return replace(
        layout,
        version_table=table if isinstance(table, str) else layout.version_table,
        version_table_schema=schema if isinstance(schema, str) else None,
    )


def _is_run(node: ast.AST, tree: ast.Module) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in _names_of_run(tree)
    return ast.unparse(node.func) in {"stillroom.env.run", "env.run"}


def _names_of_run(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "stillroom.env"
        for alias in node.names
        if alias.name == "run"
    }
