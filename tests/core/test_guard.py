"""Every cell of the table of refusals."""

import itertools
from pathlib import Path

import pytest

from stillroom.core.guard import DANGERS, TABLE, Standing, parse_allowed, refusals_as_markdown, require_allowed
from stillroom.errors import RefusedError, SettingsError

UNPROTECTED = Standing("development", "development")
PROTECTED = Standing("production", "production")
CELLS = list(itertools.product(TABLE, (UNPROTECTED, PROTECTED)))


@pytest.mark.parametrize(("act", "standing"), CELLS, ids=[f"{act} on {standing.mark}" for act, standing in CELLS])
def test_each_cell_answers_as_the_table_says(act: str, standing: Standing) -> None:
    cell = TABLE[act][standing.is_protected]

    def is_let_through(allowed: frozenset[str]) -> bool:
        try:
            require_allowed(act, standing, allowed=allowed, command="x")
        except RefusedError:
            return False
        return True

    assert is_let_through(frozenset()) is (cell.verdict == "allowed")
    assert is_let_through(frozenset(DANGERS)) is (cell.verdict != "refused")
    assert is_let_through(frozenset(DANGERS) - {cell.danger}) is (cell.verdict == "allowed")


@pytest.mark.parametrize(
    ("mark", "environment", "is_protected"),
    [
        ("development", "", False),
        ("development", "development", False),
        ("test", "test", False),
        ("test", "development", True),
        ("development", "production", True),
        ("staging", "staging", True),
        ("production", "", True),
        (None, "development", True),
        ("unknown", "", True),
    ],
)
def test_the_mark_decides_what_is_protected(mark: str | None, environment: str, is_protected: bool) -> None:
    assert Standing(mark, environment).is_protected is is_protected


def test_the_embedded_server_is_exempt() -> None:
    assert not Standing(None, "production", is_embedded=True).is_protected


def test_a_refusal_that_can_be_lifted_prints_the_flag() -> None:
    with pytest.raises(RefusedError) as raised:
        require_allowed("restore by swap", PROTECTED, command="restore shop-1")

    assert raised.value.hint == "if that is meant: `invoke restore shop-1 --allow swap`"


def test_an_unknown_database_is_told_how_to_mark_it() -> None:
    with pytest.raises(RefusedError) as raised:
        require_allowed("reset-dev", Standing(None, ""), command="reset-dev")

    assert "invoke mark --environment development" in raised.value.hint


def test_a_danger_that_does_not_exist_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="everything"):
        parse_allowed("data-loss,everything")


def test_every_danger_lifts_a_refusal_of_the_table() -> None:
    assert {cell.danger for cells in TABLE.values() for cell in cells if cell.danger} == set(DANGERS)


def test_the_page_of_refusals_is_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "refusals.md"

    assert page.read_text("utf-8") == refusals_as_markdown()
