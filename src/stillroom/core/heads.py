"""Several heads: the chain of revisions that leads to each from where they part, and what to say of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stillroom.core.history import History
from stillroom.core.messages import clean_message

SHOWN = 10


@dataclass(frozen=True)
class Link:
    """One revision of a chain.

    Args:
        id: Its revision id.
        message: First line of its docstring.
        created: Its "Create Date" to the minute, else when git's author committed it, else the file's own time.
        author: Who added the file to git; "not committed", or why that cannot be told.
        path: Its file, relative to the project's root.
    """

    id: str
    message: str
    created: str
    author: str
    path: str

    @property
    def shown(self) -> str:
        """Name it in one line."""
        parts = (self.message, f"({self.created}, {self.author}; {self.path})")
        return "  ".join(clean_message(each) for each in (self.id, *parts) if each)


@dataclass(frozen=True)
class Chain:
    """What leads to one head and to no other, oldest first."""

    head: str
    labels: tuple[str, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Fork:
    """Where the heads part, and the chain to each.

    Args:
        after: The revisions that the chains follow; none where they have nothing in common.
        chains: One for each head.
    """

    after: tuple[str, ...]
    chains: tuple[Chain, ...]

    @property
    def summary(self) -> str:
        """Say how many heads there are, and where they part."""
        place = f"after {', '.join(self.after)}" if self.after else "with nothing in common"
        return f"{len(self.chains)} heads {place}"

    @property
    def lines(self) -> tuple[str, ...]:
        """Show each chain, a revision a line; a long one without its middle."""
        found = []
        for chain in self.chains:
            labels = f" (branch {', '.join(chain.labels)})" if chain.labels else ""
            found.append(clean_message(f"{chain.head}{labels}:"))
            links = [f"  {link.shown}" for link in chain.links]
            if len(links) > SHOWN:
                half = SHOWN // 2
                links[half:-half] = [f"  … {len(links) - 2 * half} more …"]
            found += links
        return tuple(found)

    def text(self, consequence: str) -> str:
        """Write the sentence of an error with the chains below it."""
        return "\n  ".join([f"there are {self.summary}; {consequence}", *self.lines])


def find_chain(history: History, head: str) -> tuple[str, ...]:
    """List what leads to this head and to no other, parents first."""
    others = _lineage(history, (each for each in history.heads if each != head))
    own = _lineage(history, [head]) - others
    return tuple(each for each in history.order if each in own)


def find_start(history: History, chain: Iterable[str]) -> tuple[str, ...]:
    """Name the revisions of a chain that follow none of it: where it begins."""
    chain = tuple(chain)
    return tuple(each for each in chain if not set(history.revisions[each].down) & set(chain))


def find_parting(history: History) -> tuple[str, ...]:
    """Name the last revisions that all heads have in common; none where there are no such."""
    shared = frozenset(history.revisions)
    for head in history.heads:
        shared &= _lineage(history, [head])
    followed = {parent for each in shared for parent in history.revisions[each].down}
    return tuple(sorted(shared - followed))


def find_labels(history: History, chain: Iterable[str]) -> tuple[str, ...]:
    """Name the branch labels that are given within a chain."""
    return tuple(sorted({label for each in chain for label in history.revisions[each].labels}))


def _lineage(history: History, ids: Iterable[str]) -> frozenset[str]:
    """Collect revisions and those they follow; what they depend on is another branch's."""
    found: set[str] = set()
    todo = list(ids)
    while todo:
        each = todo.pop()
        if each not in found:
            found.add(each)
            todo += history.revisions[each].down
    return frozenset(found)
