"""What is committed: complete, and free of what does not belong there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = ("tasks.py", "alembic.ini", "migrations", "src", "tests", ".env.example")


def _files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [ROOT / each for each in listed if (ROOT / each).is_file()]


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_the_top_level_is_as_promised(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_dependencies_are_the_five_promised() -> None:
    """S36."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert {re.split(r"[<>=!~]", each)[0] for each in project["dependencies"]} == {
        "invoke",
        "alembic",
        "sqlmodel",
        "psycopg2-binary",
        "python-dotenv",
    }
    assert {"embedded", "test", "dev"} <= project["optional-dependencies"].keys()


def test_constraints_hold_names_and_versions_only() -> None:
    """S36."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()

    assert lines
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)


def test_no_file_names_a_package_registry_or_a_path_of_somebodys_machine() -> None:
    registry = "|".join((r"https?://\S+/simp" r"le\b", r"py" r"pi\.org"))
    machine = "|".join((r"/home/(?!you/|me/)\w+/", r"/ro" r"ot/", r"/Users/\w+/"))
    banned = re.compile(f"{registry}|{machine}")

    found = [
        f"{path.relative_to(ROOT)}: {hit.group()}" for path in _files() for hit in [banned.search(_text(path))] if hit
    ]

    assert found == []


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def test_the_wheel_holds_the_package_only(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)

    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()

    assert {name.split("/")[0] for name in names} == {"stillroom", "stillroom-0.1.0.dist-info"}
    assert "stillroom/py.typed" in names
