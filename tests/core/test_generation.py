"""Answers as they are typed: the flag that a question proposes is the one that answers it."""

from __future__ import annotations

import shlex

import pytest

from stillroom.core.generation import Answers, Question, parse_answers
from stillroom.errors import SettingsError

NAMES = ["users.age", "my table.a b", "50%.n%n", 'say "x".y', "a:b.c=d", "größe.ß", "it's.x", " lead.trail ", "a.b.c.d"]


def said(flag: str) -> list[str]:
    """Split a flag as a shell would."""
    return shlex.split(flag)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["0", "now()", "'a b'"])
def test_a_fill_that_is_proposed_is_read_as_the_answer(name: str, value: str) -> None:
    (flag,) = Question("fill", name, "", proposal=value).flags

    assert parse_answers(fill=[said(flag)[1]]) == Answers(fill={name: value})


@pytest.mark.parametrize("name", [*NAMES, "users"])
@pytest.mark.parametrize("new", ["mail", "a b", "n.m", "a:b=c", 'q"q', "ä"])
@pytest.mark.parametrize("kind", ["rename", "replace"])
def test_a_rename_that_is_proposed_is_read_as_the_answer(name: str, new: str, kind: str) -> None:
    (flag,) = Question(kind, name, "", (new,), may_be_lost=False).flags

    assert said(flag)[0] == f"--{kind}"
    key = "replacement" if kind == "replace" else kind
    assert parse_answers(**{key: [said(flag)[1]]}) == Answers(**{kind: {name: new}})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "name"),
    [("my table.a b=0", "my table.a b"), ('"my table"."a b"=0', "my table.a b"), ('"users".age=0', "users.age")],
)
def test_names_are_taken_with_quotes_and_without(typed: str, name: str) -> None:
    assert parse_answers(fill=[typed]).fill == {name: "0"}


@pytest.mark.parametrize("typed", ["age=3", "a.b", "a.=3", '"a.b=3', "a.b=", '"a.b"=3'])
def test_what_cannot_be_read_is_refused(typed: str) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        parse_answers(fill=[typed])


def test_a_value_that_is_more_than_an_expression_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"--fill t\.x: a semicolon in it"):
        parse_answers(fill=["t.x=1; drop table t"])
