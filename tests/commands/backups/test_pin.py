"""`backups.pin`: what is pinned is listed so and stays, until the pin is taken away."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.commands.backing import folder, names, put_backup
from tests.commands.support import answer
from tests.servers import Project


@pytest.fixture
def name(project: Project) -> str:
    """A backup."""
    return put_backup(folder(project))


def test_a_pin_is_listed_with_its_reason_and_taken_away_again(project: Project, name: str) -> None:
    pinned = project.invoke("backups.pin", name, "--reason", "before the big import")
    listed = project.invoke("backups").stdout
    off = project.invoke("backups.pin", name, "--off")

    assert pinned.code == 0, pinned.stderr
    assert pinned.stdout.startswith(f"{name}: pinned: before the big import; `invoke backups.pin {name} --off`")
    assert "read in full; pinned: before the big import" in listed
    assert off.stdout == f"{name}: not pinned any more\n"
    assert "pinned" not in project.invoke("backups").stdout
    assert stat.S_IMODE((folder(project) / name).stat().st_mode) == 0o700


def test_twice_is_the_same_as_once_and_keeps_the_reason(project: Project, name: str) -> None:
    project.invoke("backups.pin", name, "--reason", "first")

    again = answer(project.invoke("backups.pin", name, "--json").stdout)["result"]
    twice = [project.invoke("backups.pin", name, "--off").stdout for _ in range(2)][1]

    assert (again["is_pinned"], again["was_pinned"], again["reason"]) == (True, True, "first")
    assert twice == f"{name}: not pinned, and was not\n"


def test_a_note_is_private_and_written_through_no_link(project: Project, name: str) -> None:
    """S18, S19."""
    elsewhere = project.path.parent / "elsewhere"
    elsewhere.write_text("mine")
    (folder(project) / name / "pinned.json").symlink_to(elsewhere)

    done = project.invoke("backups.pin", name, "--reason", "x")

    note = folder(project) / name / "pinned.json"
    assert done.code == 0, done.stderr
    assert elsewhere.read_text() == "mine"
    assert not note.is_symlink()
    assert stat.S_IMODE(note.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["../shop", "/etc", "none", ".", ""])
def test_only_a_listed_name_is_taken(project: Project, name: str, text: str) -> None:
    """S20."""
    done = project.invoke("backups.pin", text)

    assert done.code == 3
    assert "there is no such backup" in done.stderr


def test_a_reason_for_taking_it_away_is_refused(project: Project, name: str) -> None:
    assert project.invoke("backups.pin", name, "--off", "--reason", "x").code == 2
    assert names(project) == [name]


def test_a_pin_that_cannot_be_read_still_pins(project: Project, name: str) -> None:
    Path(folder(project) / name / "pinned.json").write_bytes(b"\xff")

    assert "read in full; pinned\n" not in project.invoke("backups").stdout
    assert "read in full; pinned" in project.invoke("backups").stdout
