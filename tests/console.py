"""The console blocks of a page: which commands they hold, and whether what they print is what they show."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Only what cannot be the same twice: times, ids and paths.
MASKS = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"), "<time>"),
    (re.compile(r"\b\d{8}T\d{6}Z?\b|\b\d{8}_\d{4}\b"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?: UTC)?"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)? m?s\b|\"seconds\": [\d.e-]+|\b\d+ seconds?\b"), "<time>"),
    (re.compile(r"\bpid \d+"), "<pid>"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "<id>"),
    (re.compile(r"(?<![\w.])/(?:[\w.@+-]+/)*[\w.@+-]+"), "<path>"),
)


@dataclass(frozen=True)
class Line:
    """One command of a page, and what the page shows below it."""

    command: str
    shown: str
    place: str


def read_lines(page: Path, root: Path) -> list[Line]:
    """Read every line that starts with `$ `, in order; a trailing backslash continues it."""
    text = page.read_text("utf-8")
    found = []
    for block in BLOCK.finditer(text):
        first = text[: block.start()].count("\n") + 2
        for number, part in enumerate(re.split(r"^\$ ", block.group(1), flags=re.MULTILINE)):
            if number == 0:
                assert not part.strip(), f"{page}:{first}: a console block starts with a command"
                continue
            command, _, shown = re.sub(r"\\\n", "", part).partition("\n")
            found.append(
                Line(command, shown, f"{page.relative_to(root)}:{first}: {shlex.split(command, comments=True)[0]}")
            )
    return found


def masked(text: str) -> str:
    """Replace times, ids and paths; trailing blanks and blank ends do not count."""
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
