"""A schema as one digest for each object, so that a copy can be compared with what is no longer there."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from stillroom.core.contents import ObjectMark
from stillroom.core.schema_objects import Key, Schema

NAME = r'(?:"[^"]+"|[A-Za-z_][\w$]*)'
CAST = re.compile(
    rf"::{NAME}(?:\.{NAME})*(?: varying| precision| with(?:out)? time zone)?(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])*"
)
LAYOUT = re.compile(r"[()\s]+")


def mark_objects(schema: Schema) -> tuple[ObjectMark, ...]:
    """Take a digest of each object together with its parts: a table with its columns, constraints, indexes, triggers."""
    parts: defaultdict[Key, list[Any]] = defaultdict(list)
    for key, each in schema.objects.items():
        if each.facets.get("is valid") is False:
            continue  # pg_dump leaves an index out that was never finished
        root = next(reversed([key, *schema.ancestors(key)]))
        parts[root].append([*key, _settle(each.facets)])
    return tuple(
        ObjectMark(kind, name, hashlib.sha256(json.dumps(sorted(found, key=str)).encode()).hexdigest()[:16])
        for (kind, name), found in sorted(parts.items())
    )


def _settle(facets: Mapping[str, Any]) -> Any:
    """Take out what a dump and its restore may write in another way: casts, parentheses, line ends.

    The server writes `x IN ('a', 'b')` of a varchar column with a cast of the array, and, when that text is read again, with
    one of each value (tried with 14 to 18).
    """
    return {
        name: LAYOUT.sub("", CAST.sub("", value)) if isinstance(value, str) else value
        for name, value in sorted(facets.items())
    }
