"""Settings that a session has from its first moment, given with the address.

Source: PostgreSQL manual, "Parameter Key Words", `options`: a blank ends a word, a backslash escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

SessionSettings = tuple[tuple[str, str], ...]
_ESCAPED = re.compile(r"([\s\\])")


def with_session(url: DatabaseUrl, settings: Iterable[tuple[str, str]]) -> DatabaseUrl:
    """Return the address of sessions that have these settings (name and value), after those it names itself."""
    words = [f"-c {_escape(name)}={_escape(value)}" for name, value in settings]
    if not words:
        return url
    parameters = dict(url.options)
    parameters["options"] = " ".join([parameters.get("options", ""), *words]).strip()
    return replace(url, options=tuple(sorted(parameters.items())))


def fits_session(name: str) -> bool:
    """Tell whether a setting's name arrives as it is: the server reads `-` in one as `_`."""
    return "-" not in name


def _escape(text: str) -> str:
    return _ESCAPED.sub(r"\\\1", text)
