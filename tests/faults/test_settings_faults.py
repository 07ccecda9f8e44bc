"""Settings that cannot be used, seen from the command line: one line, a hint, exit 2, nothing of the value, nothing touched.

Each reading has its own test in tests/test_settings*.py and tests/core/test_urls*.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.support import answer
from tests.servers import Project

SECRET = "Kx7vQ2Kx7vQ2"
URL = f"postgresql://app:{SECRET}@127.0.0.1:1/shop"


def dotenv(text: str | bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(text.encode() if isinstance(text, str) else text)


def giant(path: Path) -> None:
    with path.open("wb") as file:
        file.write(f"DATABASE_URL={URL}\n".encode())
        file.truncate(1 << 30)


def link(path: Path) -> None:
    target = path.with_name("other.env")
    target.write_text(f"DATABASE_URL={URL}\n")
    path.symlink_to(target)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "F18 blank": (dotenv("DATABASE_URL=\n"), ".env line 1: the value is blank"),
    "F18 trailing blank": (dotenv(f"DATABASE_URL='{URL} '\n"), "ends with a blank"),
    "F18 NUL": (dotenv(f"A=1\nDATABASE_URL={URL}\0\n"), ".env line 2: a NUL"),
    "F18 line break": (dotenv(f'DATABASE_URL="{URL}\n"\n'), "ends with a blank or a line break"),
    "F21 no parse": (dotenv(f"A=1\nDATABASE_URL '{URL}\n"), ".env line 2"),
    "F21 twice": (dotenv(f"DATABASE_URL={URL}\nDATABASE_URL={URL}x\n"), ".env line 2: DATABASE_URL is there twice"),
    "F21 comment": (dotenv(f"DATABASE_URL=postgresql://app:{SECRET} #x@h/shop\n"), ".env line 1: DATABASE_URL is cut"),
    "F21 variable": (dotenv(f"DATABASE_URL={URL}${{X}}\n"), ".env line 1: DATABASE_URL holds `${`"),
    "F22 link": (link, ".env: a symbolic link is not read"),
    "F24 not UTF-8": (dotenv(f"DATABASE_URL={URL}".encode() + b"\xff\n"), ".env line 1: not UTF-8"),
    "F24 1 GiB": (giant, ".env: it is larger than 64 KiB"),
    "F24 FIFO": (os.mkfifo, ".env: it is no regular file"),
    "F24 folder": (Path.mkdir, ".env: it is no regular file"),
    "F25 unit": (dotenv(f"DATABASE_URL={URL}\nSTILLROOM_WAIT_S=5s\n"), "STILLROOM_WAIT_S in .env line 2"),
    "F25 negative": (dotenv(f"DATABASE_URL={URL}\nSTILLROOM_LOCK_TIMEOUT_MS=-1\n"), "STILLROOM_LOCK_TIMEOUT_MS"),
    "F25 contradiction": (
        dotenv(f"DATABASE_URL={URL}\nSTILLROOM_LOCK_TIMEOUT_MS=900\nSTILLROOM_STATEMENT_TIMEOUT_MS=800\n"),
        "is not below STILLROOM_STATEMENT_TIMEOUT_MS",
    ),
}


@pytest.mark.parametrize(("write", "said"), BROKEN.values(), ids=BROKEN)
def test_it_is_one_line_with_a_hint_and_shows_nothing_of_the_value(
    project: Project, write: Callable[[Path], object], said: str
) -> None:
    """F18, F21, F22, F24, F25, S03: the id of the case is its fault's."""
    write(project.path / ".env")

    done = project.invoke("migrate", timeout=10)

    assert done.code == 2, done.stderr
    assert said in done.stderr
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["error:", "hint:"]
    assert SECRET not in done.stdout + done.stderr
    assert not (project.path / ".stillroom").exists()


def test_a_dotenv_above_the_project_is_not_read_and_the_environment_wins_over_the_projects_own(
    project: Project,
) -> None:
    """F22, F23, S03: said, without a value; and json holds the notes as well."""
    (project.path.parent / ".env").write_text(f"DATABASE_URL={URL}\n")
    above = project.invoke("config")
    (project.path / ".env").write_text(f"DATABASE_URL={URL}_one\n")

    won = project.invoke("config", "--json", env={"DATABASE_URL": f"{URL}_two"})

    assert f"{project.path.parent / '.env'} is not read" in above.stderr
    assert "shop_two on 127.0.0.1:1" in won.stdout
    assert "the environment wins over a different value in .env line 1" in answer(won.stdout)["result"]["notes"][0]
    assert SECRET not in above.stdout + above.stderr + won.stdout + won.stderr


@pytest.mark.parametrize(
    "flags",
    [["--wait-s", "nan"], ["--wait-s", "-1"], ["--wait-s", "5s"], ["--wait-s", "1e999"]],
    ids=["no number", "negative", "unit", "endless"],
)
def test_a_wait_that_is_no_wait_is_refused(project: Project, flags: list[str]) -> None:
    """F25: flags as well."""
    done = project.invoke("migrate", *flags, env={"DATABASE_URL": URL})

    assert done.code == 2, done.stderr
    assert "--wait-s is" in done.stderr
