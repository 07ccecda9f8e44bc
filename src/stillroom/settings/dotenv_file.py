"""Read .env with python-dotenv's own parser; what it would skip or cut in silence is an error here."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.errors import SettingsError
from stillroom.settings.files import read_text
from stillroom.settings.specs import is_ours

if TYPE_CHECKING:
    from dotenv.parser import Binding

FILE = ".env"
LINE = re.compile(r"""\s*(?:export\s+)?['"]?(\w+)""")
QUOTE_HINT = "put the value in single quotes, and percent-encode a password inside a URL"


@dataclass
class DotenvFile:
    """What .env says.

    Args:
        values: Text by name.
        lines: The line each name stands on.
        notes: What is odd about it, and harmless.
    """

    values: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_dotenv(root: Path) -> DotenvFile:
    """Read the .env of a project; nothing is expanded, and os.environ is not changed.

    Args:
        root: The project's folder; its owner may own .env too, since we run the code that lies there.

    Raises:
        SettingsError: the file cannot be read, or a line about one of our settings is not clear.
    """
    text = read_text(root / FILE, label=FILE, follow=False, trusted_uid=root.stat().st_uid)
    found = DotenvFile()
    if text is None:
        return found
    from dotenv.parser import parse_stream

    for binding in parse_stream(io.StringIO(text, newline="")):
        _add(found, binding, _first_line(binding))
    return found


def _first_line(binding: Binding) -> int:
    """Return the line of the text itself; the parser counts from the blank lines before it."""
    text = binding.original.string
    before = text[: len(text) - len(text.lstrip())]
    return binding.original.line + len(re.findall(r"\r\n|\r|\n", before))


def _add(found: DotenvFile, binding: Binding, line: int) -> None:
    if binding.error:
        _say_error(found, binding, line)
        return
    if binding.key is None:
        return
    _require_nothing_swallowed(binding, line)
    if not is_ours(binding.key):
        if is_ours(binding.key.upper()):
            found.notes.append(f"{FILE} line {line}: {binding.key} is not read: the name is written in capitals")
        elif binding.key in found.lines:
            first = found.lines[binding.key]
            found.notes.append(f"{FILE} line {line}: {binding.key} is there twice, first in line {first}")
        found.lines[binding.key] = line
        return
    _require_clear(found, binding, line)
    found.values[binding.key] = binding.value or ""
    found.lines[binding.key] = line


def _say_error(found: DotenvFile, binding: Binding, line: int) -> None:
    """Refuse a broken line that could be about one of our settings; note any other."""
    names = [name for name, _ in _names(binding.original.string)]
    ours = [name for name in names if is_ours(name.upper())]
    if ours:
        message = f"{FILE} line {line}: the line of {ours[0]} does not parse"
        raise SettingsError(message, hint=f"write `{ours[0]}=value`; {QUOTE_HINT}")
    found.notes.append(f"{FILE} line {line}: the line does not parse and is not read")


def _require_clear(found: DotenvFile, binding: Binding, line: int) -> None:
    """Refuse what python-dotenv accepts in silence: a missing `=`, a second line, a cut, a variable."""
    key, value = str(binding.key), binding.value
    where = f"{FILE} line {line}: {key}"
    if value is None:
        raise SettingsError(f"{where} has no `=`", hint=f"write `{key}=value`, or remove the line")
    if key in found.lines:
        message = f"{where} is there twice, first in line {found.lines[key]}"
        raise SettingsError(message, hint="keep one of the two lines")
    if "${" in value:
        message = f"{where} holds `${{`, and variables are not expanded here"
        raise SettingsError(message, hint="write the value itself; a `$` that is meant in a URL is %24")
    raw = binding.original.string.partition("=")[2].strip()
    comment = re.search(r"\s#(.*)", raw)
    if key.endswith("DATABASE_URL") and comment and "@" in comment[1] and raw[0] not in "'\"":
        raise SettingsError(f"{where} is cut at ` #`", hint=QUOTE_HINT)


def _require_nothing_swallowed(binding: Binding, line: int) -> None:
    """Refuse a quoted value that runs over a line which looks like one of our settings."""
    for name, offset in list(_names(binding.original.string.strip()))[1:]:
        if is_ours(name):
            message = f"{FILE} line {line + offset}: {name} lies inside the quotes opened in line {line}"
            raise SettingsError(message, hint=f"close the quotes of {binding.key}")


def _names(text: str) -> Iterator[tuple[str, int]]:
    """Yield the word each line of a text starts with, and how many lines it lies behind the first."""
    for offset, part in enumerate(re.split(r"\r\n|\r|\n", text)):
        match = LINE.match(part)
        if match:
            yield match[1], offset
