"""Every `$ ` line of the pages is run as written, and prints what the page shows; every task, setting and exit code has its place."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillroom.core.guard import DANGERS
from stillroom.errors import StillroomError
from stillroom.settings import SETTINGS
from stillroom.tasks import ns
from tests.console import masked, read_lines
from tests.servers import ROOT, Project, copy_project, discard_home

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "migrations" / "README.md"]
RUNNABLE = [page for page in PAGES if "```console" in page.read_text("utf-8")]


def _short(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _commands() -> set[str]:
    """Every task as it is typed: the family's own one by the family's name."""
    return {
        ns[name].family if getattr(ns[name], "is_family", False) else name
        for name in ns.task_names
        if not name.startswith("dev.")
    }


@pytest.fixture
def clone() -> Iterator[Project]:
    """A project as a newcomer has it: a git repository, no database running."""
    folder = Path(tempfile.mkdtemp(prefix="stillroom-docs-"))
    folder.chmod(0o755)  # the server user of root must get through; pytest's own folders are closed
    project = copy_project(folder / "project")
    for name in ("Makefile", ".gitignore", ".env.example"):
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, project.path / name)
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "start"],
    ):
        assert project.run("git", *command).code == 0
    project.environment["PATH"] = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    yield project
    project.invoke("server.stop")
    discard_home(project.path / ".stillroom" / "postgres")
    shutil.rmtree(folder)


@pytest.mark.parametrize("page", RUNNABLE, ids=_short)
def test_a_page_shows_what_its_commands_print(page: Path, clone: Project) -> None:
    for line in read_lines(page, ROOT):
        seen = line.run(clone.path, clone.full_environment())

        assert masked(seen) == masked(line.shown), line.place


def test_every_task_has_a_page_and_every_page_a_task() -> None:
    pages = {page.stem for page in (ROOT / "docs" / "commands").glob("*.md")}

    assert pages == _commands()


@pytest.mark.parametrize("name", sorted(_commands()))
def test_a_page_names_every_flag_of_its_task(name: str) -> None:
    page = (ROOT / "docs" / "commands" / f"{name}.md").read_text("utf-8")

    for argument in ns[name].get_arguments(ignore_unknown_help=True):
        flag = f"--{argument.name.strip('_').replace('_', '-')}"
        assert flag in page or argument.positional, flag


def test_every_setting_is_on_its_page_and_in_the_example() -> None:
    page, example = (ROOT / "docs" / "settings.md").read_text("utf-8"), (ROOT / ".env.example").read_text("utf-8")

    for each in SETTINGS:
        assert f"`{each.name}`" in page
        assert re.search(rf"^#\s*{each.name}=", example, re.MULTILINE), each.name


def test_every_exit_code_is_on_its_page_with_its_kinds() -> None:
    page = (ROOT / "docs" / "exit-codes.md").read_text("utf-8")
    todo, kinds = [StillroomError], []
    while todo:
        each = todo.pop()
        todo += each.__subclasses__()
        kinds += [(each.exit_code, each.kind)] if each is not StillroomError else []

    for code, kind in kinds:
        row = next(line for line in page.splitlines() if line.startswith(f"| {code} |"))
        assert f"`{kind}`" in row


@pytest.mark.parametrize("danger", DANGERS)
def test_every_danger_is_on_the_page_of_refusals(danger: str) -> None:
    assert f"`{danger}`" in (ROOT / "docs" / "refusals.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=_short)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target
