"""Frozen values as JSON and back: every type is checked, nothing is converted in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints


def to_plain(value: Any) -> dict[str, Any]:
    """Turn a dataclass into what JSON knows; times become text."""
    return {name: _write(each) for name, each in asdict(value).items()}


def _write(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _write(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_write(each) for each in value]
    return value


def from_plain(kind: Any, value: Any) -> Any:
    """Build a value of a type from what JSON held; a field that is missing gets its default.

    Args:
        kind: A dataclass, a tuple, `X | None`, datetime, or one of str, int, float, bool.
        value: What was read.

    Raises:
        TypeError: Another type; a truth value is no number.
        KeyError: A field is missing.
        ValueError: A time that is none, or one without a zone.
    """
    if get_origin(kind) is tuple:
        return tuple(from_plain(get_args(kind)[0], each) for each in _of(list, value))
    if type(None) in get_args(kind):
        return None if value is None else from_plain(get_args(kind)[0], value)
    if is_dataclass(kind):
        return _build(kind, value)
    if kind is datetime:
        return _time(value)
    return float(value) if kind is float and type(value) is int else _of(kind, value)


def _build(kind: Any, value: Any) -> Any:
    given, hints = _of(dict, value), _hints(kind)
    found = {}
    for each in fields(kind):
        if each.name in given:
            found[each.name] = from_plain(hints[each.name], given[each.name])
        elif each.default is MISSING and each.default_factory is MISSING:
            raise KeyError(each.name)
    return kind(**found)


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _of(kind: Any, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(kind)
    return value


def _time(value: Any) -> datetime:
    read = datetime.fromisoformat(_of(str, value))
    if read.tzinfo is None:
        raise ValueError("a time without a zone")
    return read
