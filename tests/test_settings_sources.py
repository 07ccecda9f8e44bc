"""Environment over .env, and where .env is looked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from stillroom.errors import SettingsError
from stillroom.settings import load
from tests.settings_project import URL, Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path / "project", monkeypatch)


def test_dotenv_at_the_root_is_read_and_named_with_its_line(project: Project) -> None:
    project.dotenv(f"# ours\n\nDATABASE_URL={URL}\n")

    settings = project.load()

    assert settings.database is not None
    assert settings.database.shown == "shop on localhost:5432 as app"
    assert project.source("DATABASE_URL") == ".env line 3"


def test_the_environment_wins_over_dotenv_and_it_is_said(project: Project) -> None:
    """F23."""
    project.dotenv(f"DATABASE_URL={URL}\n").environ(DATABASE_URL="postgresql://app:geheim@localhost/other")

    settings = project.load()

    assert settings.database is not None
    assert settings.database.name == "other"
    assert settings.notes == ("DATABASE_URL: the environment wins over a different value in .env line 1",)


def test_the_same_value_in_both_is_not_worth_a_word(project: Project) -> None:
    project.dotenv(f"DATABASE_URL={URL}\n").environ(DATABASE_URL=URL)

    assert project.load().notes == ()


def test_the_process_environment_is_not_changed(project: Project) -> None:
    project.dotenv(f"DATABASE_URL={URL}\nSTILLROOM_WAIT_S=3\nOTHER=x\n")
    before = dict(os.environ)

    project.load()

    assert dict(os.environ) == before


def test_settings_are_found_from_a_folder_below(project: Project) -> None:
    below = project.dotenv(f"DATABASE_URL={URL}\n").root / "src" / "models"
    below.mkdir(parents=True)
    (below / ".env").write_text("DATABASE_URL=postgresql://localhost/stranger\n")
    project.monkeypatch.chdir(below)

    settings = project.load()

    assert settings.root == project.root
    assert settings.database is not None
    assert settings.database.name == "shop"


def test_a_dotenv_of_another_folder_is_not_read_and_it_is_said(project: Project) -> None:
    """F22."""
    (project.root.parent / ".env").write_text("DATABASE_URL=postgresql://localhost/stranger\n")

    settings = project.load()

    assert settings.database is None
    assert any(f"{project.root.parent / '.env'} is not read" in note for note in settings.notes)


def test_the_search_for_other_dotenv_files_ends_with_the_repository(project: Project) -> None:
    (project.root.parent / ".env").write_text("A=b\n")
    (project.root / ".git").mkdir()

    assert project.load().notes == ()


def test_no_project_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no alembic\.ini") as caught:
        load(tmp_path)

    assert "`cd`" in caught.value.hint


def test_python_dotenv_disabled_is_honoured_and_said(project: Project) -> None:
    project.dotenv(f"DATABASE_URL={URL}\n").environ(PYTHON_DOTENV_DISABLED="1")

    settings = project.load()

    assert settings.database is None
    assert settings.notes == (".env is not read: PYTHON_DOTENV_DISABLED is set",)


def test_a_debugger_does_not_change_which_file_is_read(project: Project) -> None:
    project.dotenv(f"DATABASE_URL={URL}\n")
    tracer = sys.gettrace()
    sys.settrace(lambda *_: None)
    try:
        settings = project.load()
    finally:
        sys.settrace(tracer)

    assert settings.database is not None
