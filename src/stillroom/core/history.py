"""The revision graph: who comes after whom, what is applied, what is missing. Alembic's words, no Alembic."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from stillroom.core.revision_ids import require_safe_id
from stillroom.errors import RefusedError, UnknownRevisionError


@dataclass(frozen=True)
class Revision:
    """One script.

    Args:
        id: Its revision id.
        down: The revisions it follows; none for a base, two or more for a merge.
        depends_on: Revisions of other branches that must be applied before it.
        labels: Its branch labels.
        message: First line of the script's docstring.
        path: The file, relative to the project's root.
    """

    id: str
    down: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    message: str = ""
    path: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """What must be applied before it."""
        return self.down + self.depends_on


@dataclass(frozen=True)
class History:
    """Every revision of the project.

    Args:
        revisions: By id; every id that one of them needs is a key.
        unread: Files whose revision id is no literal; only Alembic can tell what they are.
    """

    revisions: Mapping[str, Revision]
    unread: tuple[str, ...] = ()

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """Revisions that no other one follows, sorted."""
        followed = {parent for revision in self.revisions.values() for parent in revision.down}
        return tuple(sorted(self.revisions.keys() - followed))

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All ids, parents first; ties in the order of the file names."""
        placed: dict[str, None] = {}
        for start in sorted(self.revisions, key=lambda each: (self.revisions[each].path, each)):
            stack = [start]
            while stack:
                missing = [parent for parent in self.revisions[stack[-1]].needs if parent not in placed]
                if missing:
                    stack.append(missing[0])
                else:
                    placed.setdefault(stack.pop())
        return tuple(placed)

    def closure(self, ids: Iterable[str]) -> frozenset[str]:
        """Collect the given revisions and all that had to be applied before them."""
        found: set[str] = set()
        todo = list(ids)
        while todo:
            each = todo.pop()
            if each not in found:
                found.add(each)
                todo.extend(self.revisions[each].needs)
        return frozenset(found)

    def descendants(self, ids: Iterable[str]) -> frozenset[str]:
        """Collect the given revisions and all that need them."""
        found = set(ids)
        for each in self.order:
            if not found.isdisjoint(self.revisions[each].needs):
                found.add(each)
        return frozenset(found)

    def tops(self, applied: Iterable[str]) -> tuple[str, ...]:
        """Name what the version table holds when exactly these are applied."""
        applied = frozenset(applied)
        needed = {parent for each in applied for parent in self.revisions[each].needs}
        return tuple(sorted(applied - needed))

    def resolve(self, name: str) -> str:
        """Find the one revision that an id, the beginning of one, or a branch label stands for.

        Raises:
            UnknownRevisionError: None, or several.
        """
        if name in self.revisions:
            return name
        for revision in self.revisions.values():
            if name in revision.labels:
                return next(iter(self._label_heads(name)))
        found = [each for each in self.revisions if each.startswith(name)] if name else []
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownRevisionError(
                f"{name!r} is the beginning of {len(found)} revisions",
                hint="type more of the id; `invoke history` lists them",
            )
        raise UnknownRevisionError(
            f"revision {name!r} is not in the history", hint="`invoke history` lists all revisions"
        )

    def _label_heads(self, label: str) -> tuple[str, ...]:
        labelled = next(each.id for each in self.revisions.values() if label in each.labels)
        heads = tuple(sorted(self.descendants([labelled]).intersection(self.heads)))
        if len(heads) != 1:
            raise UnknownRevisionError(
                f"branch {label!r} has {len(heads)} heads", hint="name a revision: `invoke heads`"
            )
        return heads


def make_history(revisions: Iterable[Revision], unread: tuple[str, ...] = ()) -> History:
    """Put revisions together and look whether they are one sound graph.

    Raises:
        RefusedError: An id that is not safe, a duplicate one, a missing parent, or a cycle; the files are named.
    """
    known: dict[str, Revision] = {}
    labels: dict[str, str] = {}
    for each in revisions:
        for named in (each.id, *each.down):
            require_safe_id(named, each.path)
        if each.id in known:
            raise RefusedError(
                f"revision {each.id} is in two files: {known[each.id].path} and {each.path}",
                hint="give the newer one an id of its own, or remove the copy",
            )
        known[each.id] = each
        labels.update(dict.fromkeys(each.labels, each.id))
    resolved = {each.id: _resolve_dependencies(each, known, labels) for each in known.values()}
    if not unread:
        _require_parents(resolved)
        _require_no_cycle(resolved)
    return History(resolved, unread)


def _resolve_dependencies(revision: Revision, known: Mapping[str, Revision], labels: Mapping[str, str]) -> Revision:
    if not revision.depends_on:
        return revision
    names = tuple(labels.get(name, name) for name in revision.depends_on)
    full = tuple(next((each for each in known if each.startswith(name)), name) for name in names)
    return Revision(revision.id, revision.down, full, revision.labels, revision.message, revision.path)


def _require_parents(revisions: Mapping[str, Revision]) -> None:
    for each in revisions.values():
        for parent in each.needs:
            if parent not in revisions:
                raise RefusedError(
                    f"{each.path} follows revision {parent}, and no file has it",
                    hint=f"`git log --diff-filter=D --name-only -- {shlex.quote(f'*{parent}*')}` finds the commit that removed it; restore the file",
                )


def _require_no_cycle(revisions: Mapping[str, Revision]) -> None:
    """Take away what needs nothing that is left, until nothing is left or a ring remains."""
    children: dict[str, list[str]] = {}
    open_needs = {each.id: len(set(each.needs)) for each in revisions.values()}
    for each in revisions.values():
        for parent in set(each.needs):
            children.setdefault(parent, []).append(each.id)
    free = [each for each, count in open_needs.items() if count == 0]
    seen = 0
    while free:
        seen += 1
        for child in children.get(free.pop(), ()):
            open_needs[child] -= 1
            if open_needs[child] == 0:
                free.append(child)
    if seen != len(revisions):
        ring = ", ".join(sorted(revisions[each].path for each, count in open_needs.items() if count))
        raise RefusedError(
            f"these revisions follow each other in a ring: {ring}", hint="correct `down_revision` in one of them"
        )
