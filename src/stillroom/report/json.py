"""Results and errors as one JSON object."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stillroom.errors import StillroomError

FORMAT = 1


def result_as_json(command: str, result: Any) -> str:
    """Render what a command returned."""
    ok = getattr(result, "exit_code", 0) == 0
    return json.dumps({"stillroom": FORMAT, "command": command, "ok": ok, "result": plain(result)})


def error_as_json(command: str, error: StillroomError) -> str:
    """Render what a command raised."""
    shown = {"kind": error.kind, "message": error.message, "hint": error.hint, "exit_code": error.exit_code}
    return json.dumps({"stillroom": FORMAT, "command": command, "ok": False, "error": shown})


def plain(value: Any) -> Any:
    """Turn frozen values into what JSON knows: paths and times as text, tuples and sets as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.repr}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(each) for each in value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    return value
