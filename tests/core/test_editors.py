"""An editor's command line, split and completed."""

from __future__ import annotations

import pytest

from stillroom.core.editors import add_wait_flag, split_command


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vim -n", ["vim", "-n"]),
        ("'/opt/my editor/ed' --flag='a b'", ["/opt/my editor/ed", "--flag=a b"]),
        ("x; touch y", ["x;", "touch", "y"]),
        ("$(touch x)", ["$(touch", "x)"]),
    ],
)
def test_a_command_is_split_without_a_shell(text: str, words: list[str]) -> None:
    assert split_command(text) == words


@pytest.mark.parametrize("text", ["", "''", "'open"])
def test_a_command_that_names_nothing_is_turned_down(text: str) -> None:
    with pytest.raises(ValueError, match=r"program|quotation"):
        split_command(text)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["/usr/bin/code"], ["/usr/bin/code", "--wait"]),
        (["code", "--wait"], ["code", "--wait"]),
        (["code", "-nw"], ["code", "-nw"]),
        (["code", "--new-window"], ["code", "--new-window", "--wait"]),
        (["subl", "-w"], ["subl", "-w"]),
        (["/snap/bin/pycharm.sh"], ["/snap/bin/pycharm.sh", "--wait"]),
        (["C:\\Program Files\\idea64.exe"], ["C:\\Program Files\\idea64.exe", "--wait"]),
        (["kate"], ["kate", "--block"]),
        (["gvim"], ["gvim", "--nofork"]),
        (["gvim", "-f"], ["gvim", "-f"]),
        (["vim"], ["vim"]),
        (["notepad++.exe"], ["notepad++.exe", "-multiInst", "-notabbar", "-nosession"]),
    ],
)
def test_a_window_editor_gets_the_flag_that_makes_it_wait(command: list[str], expected: list[str]) -> None:
    assert add_wait_flag(command) == expected
