"""A result with every text in it changed: what reports are made of, before they are made."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

LINES = {"has_lines": True}
"""The metadata of a field whose text has lines of its own, as SQL has."""


def changed(value: Any, change: Callable[[str, str], str], keep: str = "") -> Any:
    r"""Return a copy in which every text, path and key has gone through change.

    Args:
        value: A frozen value, as commands return it.
        change: Called with a text and the characters it shall keep: line breaks and tabs where they belong.
        keep: The latter for this value.
    """
    if isinstance(value, str):
        return change(value, keep) if type(value) is str else value
    if isinstance(value, PurePath):
        return type(value)(change(str(value), keep))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        made = copy.copy(value)
        for field in dataclasses.fields(value):
            inner = "\n\t" if field.metadata.get("has_lines") else keep
            object.__setattr__(made, field.name, changed(getattr(value, field.name), change, inner))
        return made
    if isinstance(value, Mapping):
        return {changed(key, change, keep): changed(each, change, keep) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and not hasattr(value, "_fields"):
        return type(value)(changed(each, change, keep) for each in value)
    return value
