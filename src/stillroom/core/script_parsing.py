"""A revision file's bytes as a syntax tree; what cannot be read is named with line and column."""

from __future__ import annotations

import ast
import re

_ENCODING = re.compile(rb"\A(?:\s*#?[^\n]*\n)?[ \t\f]*#[^\n]*?coding[:=][ \t]*([-\w.]+)")
_MARKS = ("<<<<<<<", "=======", ">>>>>>>")


class HeaderError(Exception):
    """The text cannot be read; the message starts with the place."""


def decode_script(data: bytes) -> str:
    """Decode what Python would: UTF-8, or what the file's first two lines name.

    Raises:
        HeaderError: A NUL byte, or bytes that are not of that encoding.
    """
    if (nul := data.find(b"\0")) >= 0:
        raise HeaderError(f"{_place(data, nul)}: a NUL byte")
    named = _ENCODING.match(data)
    encoding = named.group(1).decode("ascii") if named else "utf-8"
    if encoding.lower() in {"utf-8", "utf8"}:
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        said = "UTF-8" if encoding == "utf-8-sig" else encoding
        raise HeaderError(f"{_place(data, error.start)}: it is not {said}") from None
    except LookupError:
        raise HeaderError(f"line 1: there is no encoding {encoding!r}") from None


def parse_script(text: str) -> ast.Module:
    """Parse a script, or the beginning of one.

    Raises:
        HeaderError: It does not parse, or is nested too deeply for the parser.
    """
    try:
        return ast.parse(text)
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        lines = text.split("\n")
        is_mark = line <= len(lines) and lines[line - 1].startswith(_MARKS)
        raise HeaderError(
            f"line {line}, column {column}: {'a mark of a merge conflict' if is_mark else error.msg}"
        ) from None
    except (RecursionError, MemoryError):
        raise HeaderError("line 1: it is nested too deeply to be read") from None
    except ValueError as error:
        raise HeaderError(f"line 1: {error}") from None


def _place(data: bytes, position: int) -> str:
    before = data[:position]
    return f"line {before.count(10) + 1}, column {position - before.rfind(10)}"
