"""`config`: every setting, its masked value, where it came from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stillroom.commands.config import ConfigShown, show_config
from stillroom.core.printable import visible
from stillroom.edges.terminal import Terminal
from stillroom.report.config import text
from stillroom.report.values import changed
from stillroom.settings import SETTINGS
from tests.settings_project import URL, Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path / "project", monkeypatch)


def shown(project: Project) -> ConfigShown:
    return show_config(project.load(), Terminal(is_interactive=False))


def test_every_setting_is_shown_in_the_order_of_the_page(project: Project) -> None:
    result = shown(project)

    assert [entry.name for entry in result.entries] == [spec.name for spec in SETTINGS]
    assert result.root == project.root


def test_each_line_says_where_its_value_comes_from(project: Project) -> None:
    project.dotenv(f"APP_ENV=test\nDATABASE_URL={URL}\n").environ(STILLROOM_WAIT_S="5")

    lines = {line.split()[0]: line.split("  ")[-1].strip() for line in text(shown(project)).splitlines() if line}

    assert lines["APP_ENV"] == ".env line 1"
    assert lines["STILLROOM_WAIT_S"] == "environment"
    assert lines["STILLROOM_LOCK_TRIES"] == "default"


def test_no_secret_is_shown_as_text_or_json(project: Project) -> None:
    from stillroom.report.json import result_as_json

    project.environ(DATABASE_URL=URL + "?sslpassword=geheim", PGPASSWORD="geheim")

    result = shown(project)

    assert "geheim" not in text(result) + result_as_json("config", result)
    assert "shop on localhost:5432 as app" in text(result)
    assert json.loads(result_as_json("config", result))["ok"] is True


def test_the_table_is_aligned_and_ends_with_the_project(project: Project) -> None:
    lines = text(shown(project)).splitlines()

    column = lines[0].index("from")
    assert {line[column:] for line in lines[1:-2]} == {"default"}
    assert lines[-1] == f"project: {project.root}"


def test_a_control_character_in_a_value_does_not_reach_the_terminal(project: Project) -> None:
    """S32: values are made visible at the door, before they become a table."""
    project.environ(EDITOR="nano\x1b[31m")

    assert "\x1b" not in text(changed(shown(project), lambda value, _: visible(value)))


def test_showing_twice_shows_the_same(project: Project) -> None:
    assert shown(project) == shown(project)
