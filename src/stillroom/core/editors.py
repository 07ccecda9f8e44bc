"""An editor's command line: split as a shell would, without a shell, and with the flag that makes it wait."""

from __future__ import annotations

import re
import shlex

_WAIT = ("--wait", "-w")
_BLOCK = ("--block", "-b")
_FOREGROUND = ("--nofork", "-f")
# Editors that open a window and return at once; without their flag the draft would be read before it is edited.
GUI: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("code", "code-insiders", "code-oss", "codium", "vscodium", "cursor", "windsurf", "positron", "trae", "kiro"),
        _WAIT,
    ),
    **dict.fromkeys(
        (
            "subl",
            "sublime_text",
            "sublime",
            "atom",
            "zed",
            "zeditor",
            "gedit",
            "xed",
            "pluma",
            "mate",
            "bbedit",
            "nova",
            "lite-xl",
        ),
        _WAIT,
    ),
    **dict.fromkeys(
        (
            "idea",
            "pycharm",
            "webstorm",
            "phpstorm",
            "goland",
            "rubymine",
            "clion",
            "rider",
            "rustrover",
            "fleet",
            "studio",
            "dataspell",
        ),
        _WAIT,
    ),
    **dict.fromkeys(("kate", "kwrite"), _BLOCK),
    **dict.fromkeys(("gvim", "mvim", "vimr", "neovide"), _FOREGROUND),
    "notepad++": ("-multiInst",),
}
_EXTRA = {"notepad++": ("-multiInst", "-notabbar", "-nosession")}


def split_command(text: str) -> list[str]:
    """Split an editor's command line.

    Raises:
        ValueError: A quote is not closed, or there is nothing.
    """
    words = shlex.split(text)
    if not words or not words[0]:
        raise ValueError("it names no program")
    return words


def add_wait_flag(words: list[str]) -> list[str]:
    """Add the flag that makes a known window editor wait, unless one is given."""
    name = re.split(r"[/\\]", words[0])[-1].lower()
    name = re.sub(r"(\.exe|\.cmd|\.bat|\.sh|64)+$", "", name)
    flags = GUI.get(name, ())
    if not flags or any(_means_wait(word, flags) for word in words[1:]):
        return words
    return [*words, *_EXTRA.get(name, flags[:1])]


def _means_wait(word: str, flags: tuple[str, ...]) -> bool:
    """Recognise a flag, also among joined short ones: `-nw`."""
    short = {flag[1] for flag in flags if len(flag) == 2}
    return word in flags or (re.fullmatch(r"-[a-z]{2,3}", word) is not None and not short.isdisjoint(word[1:]))
