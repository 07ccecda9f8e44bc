"""Everything that can be odd about a .env: its lines, and the file itself."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

import pytest

from stillroom.errors import SettingsError
from tests.settings_project import URL, Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path / "project", monkeypatch)


def refused(project: Project) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        project.load()
    assert "geheim" not in f"{caught.value!r} {caught.value.hint}"
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeffDATABASE_URL={URL}\n",
        f"DATABASE_URL={URL}\r\nAPP_ENV=test\r\n",
        f"DATABASE_URL={URL}",
        f"export DATABASE_URL={URL}\n",
        f"DATABASE_URL='{URL}'\n",
        f'DATABASE_URL="{URL}"\n',
        f"DATABASE_URL = {URL}\n",
        f"DATABASE_URL={URL}   # the local one\n",
        f"DATABASE_URL='{URL}' # app@home\n",
        f"OTHER='a\nb'\nDATABASE_URL={URL}\n",
    ],
    ids=[
        "BOM",
        "CRLF",
        "no last line break",
        "export",
        "quotes",
        "double quotes",
        "blanks",
        "comment",
        "@",
        "two lines",
    ],
)
def test_the_ways_a_dotenv_is_written(project: Project, text: str) -> None:
    settings = project.dotenv(text).load()

    assert settings.database is not None
    assert settings.database.libpq()["password"] == "geheim"
    assert settings.notes == ()


@pytest.mark.parametrize(
    "word", ["a$b", "a$HOME", "a%24%7BHOME%7D", "a%23b", "a%25b", "a+b", "a%22b", "a%27b", "a%20%23b"]
)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_nothing_in_a_password_is_expanded_or_cut(project: Project, word: str, quote: str) -> None:
    """F19, F21."""
    settings = project.dotenv(f"DATABASE_URL={quote}postgresql://app:{word}@db/shop{quote}\n").load()

    assert settings.database is not None
    assert settings.database.libpq()["password"] == unquote(word)


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (f"A=b\nDATABASE_URL {URL}\n", 2, "does not parse"),
        (f"A=b\n\n\nDATABASE_URL: {URL}\n", 4, "does not parse"),
        (f"DATABASE_URL='{URL}\n", 1, "does not parse"),
        (f"DATABASE_URL='{URL}' x\n", 1, "does not parse"),
        (f"database_url {URL}\n", 1, "does not parse"),
        ("STILLROOM_WAIT_S 5\n", 1, "does not parse"),
        ("\nDATABASE_URL\n", 2, "has no `=`"),
        (f"DATABASE_URL={URL}\nDATABASE_URL={URL}\n", 2, "is there twice, first in line 1"),
        ("APP_ENV=test\nA=b\nAPP_ENV=prod\n", 3, "is there twice, first in line 1"),
        ("DATABASE_URL=postgresql://app:${geheim}@db/shop\n", 1, "variables are not expanded"),
        ("DATABASE_URL='postgresql://app:${geheim}@db/shop'\n", 1, "variables are not expanded"),
        ("STILLROOM_BACKUP_DIR=${HOME}/backups\n", 1, "variables are not expanded"),
        ("DATABASE_URL=postgresql://app:geheim #x@db/shop\n", 1, "is cut at ` #`"),
        (f'A="x\nDATABASE_URL={URL}\nB=1"\n', 2, "inside the quotes opened in line 1"),
        (f'A="x\nDATABASE_URL="{URL}"\n', 1, "does not parse"),
    ],
)
def test_a_line_about_our_settings_that_is_not_clear_is_refused(
    project: Project, text: str, line: int, word: str
) -> None:
    """F21."""
    error = refused(project.dotenv(text))

    assert error.exit_code == 2
    assert error.message.startswith(f".env line {line}: ")
    assert word in error.message


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("OTHER x\n", ".env line 1: the line does not parse and is not read"),
        ("OTHER=1\nOTHER=2\n", ".env line 2: OTHER is there twice, first in line 1"),
        ("database_url=geheim\n", ".env line 1: database_url is not read: the name is written in capitals"),
        ("STILLROOM_WAIT=3\n", "STILLROOM_WAIT is no setting; `invoke config` lists them"),
    ],
)
def test_what_is_odd_and_harmless_is_a_note(project: Project, text: str, note: str) -> None:
    """F21."""
    assert project.dotenv(text).load().notes == (note,)


def test_a_dotenv_that_is_not_utf8_is_refused_with_its_line(project: Project) -> None:
    """F24."""
    (project.root / ".env").write_bytes(b"A=b\nDATABASE_URL=postgresql://app:geheim\xff@db/shop\n")

    assert refused(project).message == ".env line 2: not UTF-8"


def test_a_dotenv_with_a_nul_is_refused_with_its_line(project: Project) -> None:
    """F18."""
    assert refused(project.dotenv("A=b\nC=\0\n")).message == ".env line 2: a NUL character"


def test_a_dotenv_is_read_up_to_64_kib(project: Project) -> None:
    """F24."""
    project.dotenv("A=" + "x" * 65_533 + "\n")
    assert project.load().database is None

    project.dotenv("A=" + "x" * 65_534 + "\n")

    assert "larger than 64 KiB" in refused(project).message


def test_a_sparse_giant_is_refused_at_once(project: Project) -> None:
    """F24."""
    with (project.root / ".env").open("wb") as stream:
        stream.truncate(1 << 30)

    assert "larger than 64 KiB" in refused(project).message


def test_a_fifo_does_not_hang(project: Project) -> None:
    """F24."""
    os.mkfifo(project.root / ".env")

    assert refused(project).message == ".env: it is no regular file"


def test_a_folder_is_refused(project: Project) -> None:
    """F24."""
    (project.root / ".env").mkdir()

    assert refused(project).message == ".env: it is no regular file"


def test_a_link_is_not_followed(project: Project) -> None:
    """F22."""
    (project.root.parent / "shared").write_text(f"DATABASE_URL={URL}\n")
    (project.root / ".env").symlink_to(project.root.parent / "shared")

    error = refused(project)

    assert error.message == ".env: a symbolic link is not read"
    assert "DATABASE_URL_FILE" in error.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_a_stranger_is_not_read(project: Project) -> None:
    """F22, S06."""
    project.dotenv(f"DATABASE_URL={URL}\n")
    os.chown(project.root / ".env", 4242, 4242)

    assert "belongs to another user (uid 4242)" in refused(project).message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_the_projects_own_owner_is_read(project: Project) -> None:
    """F22."""
    project.dotenv(f"DATABASE_URL={URL}\n")
    for path in (project.root, project.root / ".env"):
        os.chown(path, 4242, 4242)

    assert project.load().database is not None
