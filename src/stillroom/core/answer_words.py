"""How names are written in `--rename`, `--fill` and `--replace`: as they are, or quoted as in SQL where they hold a sign of the flags."""

from __future__ import annotations

import re
import shlex

Form = re.Pattern[str]
_PART = r"""(?:"(?:[^"]|"")+"|[^":=.\s](?:[^":=.]*[^":=.\s])?)"""
RENAME: Form = re.compile(rf"(?P<subject>{_PART}(?:\.{_PART})*):(?P<value>{_PART})")
FILL: Form = re.compile(rf"(?P<subject>{_PART}(?:\.{_PART})+)=(?P<value>.*\S.*)", re.DOTALL)
_SIMPLE = re.compile(r"[\w.+-]+")


def unquote(text: str) -> str:
    """Take the quotes off the parts of a name, as the findings call it: `"my table".x` is `my table.x`."""
    parts = re.findall(rf"{_PART}(?=\.|$)", text)
    return ".".join(each[1:-1].replace('""', '"') if each.startswith('"') else each for each in parts)


def quote(name: str) -> str:
    """Quote those parts of a name that could not be read otherwise."""
    return ".".join(_quote_part(each) for each in name.split("."))


def _quote_part(part: str) -> str:
    is_plain = not part or (re.fullmatch(_PART, part) and not part.startswith('"'))
    return part if is_plain else '"' + part.replace('"', '""') + '"'


def fill_flag(subject: str, value: str) -> str:
    """Write `--fill` as it is typed in a shell."""
    name = quote(subject)
    if not _SIMPLE.fullmatch(name):
        return f"--fill {shlex.quote(f'{name}={value}')}"
    return f"--fill {name}={value if _SIMPLE.fullmatch(value) else shlex.quote(value)}"


def pair_flag(kind: str, subject: str, value: str) -> str:
    """Write `--rename` or `--replace` as it is typed in a shell; a name that holds a dot is one part."""
    new = f'"{value.replace(chr(34), chr(34) * 2)}"' if "." in value else _quote_part(value)
    return f"--{kind} {shlex.quote(f'{quote(subject)}:{new}')}"
