"""The project's own commands: split, filled in, and what they say."""

from __future__ import annotations

import pytest

from stillroom.core.own_commands import fill, last_line, mask_values, read_snapshot_id, split_command


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rclone copy {path} far:", ("rclone", "copy", "{path}", "far:")),
        ("aws s3 sync '{path}' \"s3://my bucket/{name}\"", ("aws", "s3", "sync", "{path}", "s3://my bucket/{name}")),
        ("echo $HOME; rm *", ("echo", "$HOME;", "rm", "*")),
    ],
)
def test_a_command_is_split_and_not_expanded(text: str, words: tuple[str, ...]) -> None:
    assert split_command(text) == words


@pytest.mark.parametrize("text", ["'open", "''", '"" x'])
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"quotation|program"):
        split_command(text)


def test_values_are_put_in_whole_and_once() -> None:
    values = {"path": "/a b/{name}", "name": "n; rm"}

    assert fill(("x", "{path}/{name}"), appended="path", **values) == ("x", "/a b/{name}/n; rm")
    assert fill(("x", "--to={name}"), appended="path", **values) == ("x", "--to=n; rm")
    assert fill(("x", "-v"), appended="path", **values) == ("x", "-v", "/a b/{name}")


@pytest.mark.parametrize(
    ("stdout", "id_"),
    [
        ("snap-1\n", "snap-1"),
        ("waiting\n\n  rds:shop-2026 \n\n", "rds:shop-2026"),
        ("", ""),
        (" \n", ""),
        ("--force", ""),
        ("a\x1b[2Jb", ""),
        ("x" * 256, ""),
        ("x" * 255, "x" * 255),
    ],
)
def test_the_id_is_the_last_line(stdout: str, id_: str) -> None:
    assert read_snapshot_id(stdout) == id_


def test_the_last_line_is_shown_short_and_printable() -> None:
    assert last_line("\n", "one\ntwo\x1b[2J\n") == r"two\x1b[2J"
    assert last_line("", "") == "it said nothing"
    assert len(last_line("x" * 1000)) == 300


def test_what_the_environment_keeps_secret_is_masked() -> None:
    environment = {"AWS_SECRET_ACCESS_KEY": "s3cr3tvalue", "AWS_REGION": "eu-west-1", "B2_APPLICATION_KEY": "abc"}

    assert mask_values("s3cr3tvalue in eu-west-1 abc", environment) == "*** in eu-west-1 abc"
