"""Whether a restored copy is what was backed up: what differs, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from stillroom.core.contents import Contents, SequenceValue, TableRows

SHOWN = 5
KNOWS_MAINTAIN = 17
MAINTAIN = re.compile(r"(?<==)MAINTAIN\*?,|,MAINTAIN\*?(?=[, ]|$)")
WRITTEN_OTHERWISE = ("view", "materialized view")  # 16 and later leave the names of tables out of the text of a view


@dataclass(frozen=True)
class Compared:
    """What was compared, and what came out.

    Args:
        differences: What is not as it was: the copy is not the backup.
        notes: What may be otherwise without a row being lost: owners, grants, versions of extensions.
        fired: Event triggers that may have fired while the copy was filled.
    """

    differences: tuple[str, ...]
    notes: tuple[str, ...]
    fired: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """What is not as it was, in words, and what may have done that."""
        told = shorten(self.differences)
        if not self.fired:
            return told
        return f"{told}; the event trigger {', '.join(self.fired)} fires while it is restored, and could not be switched off"


def compare(
    rows: tuple[tuple[TableRows, ...], tuple[TableRows, ...]], contents: tuple[Contents, Contents], *, has_rights: bool
) -> Compared:
    """Compare what was backed up with what is in the copy.

    Args:
        rows: Of the backup and of the copy, in the same order.
        contents: Of the backup and of the copy.
        has_rights: Owners and grants were restored.
    """
    then, now = contents
    is_same_major = then.origin.major in {0, now.origin.major}
    differences = [
        *_rows(*rows),
        *(_objects(then, now, () if is_same_major else WRITTEN_OTHERWISE) if then.objects else ()),
        *_sequences(then.sequences, now.sequences),
        *_large_objects(then, now),
    ]
    notes = list(_extensions(then, now))
    if has_rights:
        notes += _named("the owner or the grants of", *_both_rights(then, now))
        if then.default_privileges != now.default_privileges:
            notes.append("the default privileges are not as they were")
    return Compared(tuple(differences), tuple(notes))


def shorten(found: Iterable[str]) -> str:
    """Say the first few, and how many more there are."""
    every = tuple(found)
    return "; ".join(every[:SHOWN]) + (f"; and {len(every) - SHOWN} more" if len(every) > SHOWN else "")


def _rows(then: tuple[TableRows, ...], now: tuple[TableRows, ...]) -> Iterator[str]:
    for there, here in zip(then, now, strict=True):
        name = f"{there.schema}.{there.name}"
        if there.rows != here.rows:
            yield f"{name} has {here.rows:,} rows, the backup {there.rows:,}"
        elif there.hash and here.hash and there.hash != here.hash:
            yield f"{name} has as many rows as the backup, and not the same ones"


def _objects(then: Contents, now: Contents, by_name: tuple[str, ...]) -> Iterator[str]:
    before = {(each.kind, each.name): each.digest for each in then.objects}
    after = {(each.kind, each.name): each.digest for each in now.objects}
    for key in sorted(before.keys() | after.keys()):
        is_named_only = key[0] in by_name and key in before and key in after
        if before.get(key) != after.get(key) and not is_named_only:
            word = "is missing" if key not in after else "was not there" if key not in before else "is made otherwise"
            yield f"{key[0]} {key[1]} {word}"


def _sequences(then: tuple[SequenceValue, ...], now: tuple[SequenceValue, ...]) -> Iterator[str]:
    values = {each.name: each.last_value for each in now}
    for each in then:
        if each.last_value is None or each.cycles:
            continue
        value = values.get(each.name)
        is_behind = value is None or (value - each.last_value) * each.increment < 0
        if is_behind:
            yield f"the sequence {each.name} is at {value}, and was at {each.last_value}"


def _large_objects(then: Contents, now: Contents) -> Iterator[str]:
    there, here = then.large_objects, now.large_objects
    if there.count != here.count:
        yield f"there are {here.count:,} large objects, in the backup {there.count:,}"
    elif there.hash and here.hash and (there.size_bytes, there.hash) != (here.size_bytes, here.hash):
        yield "there are as many large objects as in the backup, and not the same ones"


def _extensions(then: Contents, now: Contents) -> Iterator[str]:
    versions = {each.name: each.version for each in now.extensions}
    for each in then.extensions:
        version = versions.get(each.name)
        if version != each.version:
            yield f"the extension {each.name} is {version or 'not there'}, and was {each.version}"


def _both_rights(then: Contents, now: Contents) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return rights by name; where one of the servers does not know MAINTAIN, which owners have by default, without it."""
    knows = [each.origin.major >= KNOWS_MAINTAIN for each in (then, now)]
    left_out = MAINTAIN if knows[0] != knows[1] and then.origin.major else None
    return _rights(then, left_out), _rights(now, left_out)


def _rights(contents: Contents, left_out: re.Pattern[str] | None) -> Mapping[str, str]:
    grants = ((each, left_out.sub("", each.grants) if left_out else each.grants) for each in contents.rights)
    return {f"{each.kind} {each.name}": f"{each.owner}: {text}" for each, text in grants}


def _named(what: str, then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    names = [name for name, each in then.items() if now.get(name) != each]
    return [f"{what} {shorten(names)} are not as they were"] if names else []
