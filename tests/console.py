"""The console blocks of a page: which commands they hold, and whether what they print is what they show.

A block below `<!-- typed: "", "m" -->` is run in a terminal, where these answers are typed one after another.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pexpect

BLOCK = re.compile(r"^(?:<!-- typed: (.*?) -->\n)?```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROMPT = r"(\?|\]|\]:) $"
# Only what cannot be the same twice: times, ids and paths.
MASKS = (
    (re.compile(r"(?<![\w.])/(?:[\w.@+-]+/)*[\w.@+-]+"), "<path>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"), "<time>"),
    (re.compile(r"\b\d{8}_\d{4}_[0-9a-f]{12}(?=[_.])"), "<time>_<id>"),
    (re.compile(r"\b\d{8}T\d{6}Z?\b"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?: UTC)?"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)? m?s\b|\"seconds\": [\d.e-]+|\b\d+ seconds?\b"), "<time>"),
    (re.compile(r"\bpid \d+"), "<pid>"),
    (re.compile(r"\b\d+ kB\b"), "<size>"),
    (re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{12,64}(?![0-9a-zA-Z])"), "<id>"),
)


@dataclass(frozen=True)
class Line:
    """One command of a page, what the page shows below it, and what is typed; None without a terminal."""

    command: str
    shown: str
    place: str
    typed: tuple[str, ...] | None

    def run(self, folder: Path, environment: Mapping[str, str]) -> str:
        """Run it and return what a person sees: stdout and stderr together."""
        if self.typed is not None:
            return self._run_in_terminal(folder, environment)
        done = subprocess.run(
            ["bash", "-c", f"exec 2>&1; {self.command}"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.stdout

    def _run_in_terminal(self, folder: Path, environment: Mapping[str, str]) -> str:
        seen = ""
        with pexpect.spawn(
            "bash",
            ["-c", self.command],
            cwd=str(folder),
            env={**environment, "TERM": "xterm", "NO_COLOR": "1"},
            dimensions=(60, 200),
            encoding="utf-8",
            timeout=60,
        ) as child:
            for answer in self.typed or ():
                if child.expect([PROMPT, pexpect.EOF]):
                    break
                seen += child.before + child.after
                child.sendline(answer)
            child.expect(pexpect.EOF)
            return (seen + child.before).replace("\r\n", "\n")


def read_lines(page: Path, root: Path) -> list[Line]:
    """Read every line that starts with `$ `, in order; a trailing backslash continues it."""
    text = page.read_text("utf-8")
    found = []
    for block in BLOCK.finditer(text):
        first = text[: block.start()].count("\n") + 2
        typed = tuple(json.loads(f"[{block.group(1)}]")) if block.group(1) else None
        for number, part in enumerate(re.split(r"^\$ ", block.group(2), flags=re.MULTILINE)):
            if number == 0:
                assert not part.strip(), f"{page}:{first}: a console block starts with a command"
                continue
            command, _, shown = re.sub(r"\\\n", "", part).partition("\n")
            place = f"{page.relative_to(root)}:{first}: {shlex.split(command, comments=True)[0]}"
            found.append(Line(command, shown, place, typed))
    return found


def masked(text: str) -> str:
    """Replace times, ids and paths; trailing blanks and blank ends do not count."""
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
