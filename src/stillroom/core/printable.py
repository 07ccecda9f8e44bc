"""Names, messages and notices come from other people: what a terminal would obey is shown as an escape."""

from __future__ import annotations

import re


def visible(text: str, *, keep: str = "") -> str:
    r"""Write every character that does not print as Python would: ESC as `\x1b`, a line break as `\n`.

    Direction marks and other invisible characters of Unicode count as well: they make a name look like another one.

    Args:
        text: From outside: a name, a message, what a server said.
        keep: Characters that stay as they are: the line breaks of a text that has lines.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else _escaped(each) for each in text)


def visible_lines(text: str) -> str:
    """Do the same for a sentence that may end with lines of a log: they are indented, and none passes for one of ours."""
    return "\n".join(visible(line) for line in re.split(r"\n(?=  )", text))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
