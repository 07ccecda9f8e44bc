"""Which way heads are joined: what was said, what may be done, and at most one question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import Project
from stillroom.commands._heads import read_fork
from stillroom.commands._seen import call_witness
from stillroom.core.heads import find_chain, find_labels
from stillroom.errors import DatabaseError, RefusedError, SettingsError

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

COMMAND = "heads.merge"
AGAIN = (
    "`invoke heads.merge -m merge` writes a merge revision, `invoke heads.merge --reparent {head}` puts that side last"
)


@dataclass(frozen=True)
class Choice:
    """A merge revision, or the head of the chain that is moved and the one that it is put after."""

    moved: str = ""
    onto: str = ""


def require_words(message: str, reparent: str, onto: str) -> None:
    """Refuse flags that do not go together.

    Raises:
        SettingsError: They do not.
    """
    if reparent and message:
        raise SettingsError(
            "-m names a merge revision, and --reparent makes none", hint="leave one of them out: `invoke heads.merge`"
        )
    if onto and not reparent:
        raise SettingsError("--onto says what --reparent is put after", hint="give both, or none of them")


def choose(settings: Settings, terminal: Terminal, project: Project, *, reparent: str, onto: str, asks: bool) -> Choice:
    """Take what was said, or ask, or write a merge revision, which is right wherever the chains were applied.

    Raises:
        SettingsError: Flags that do not go together.
        RefusedError: The branches have labels, what to move is not clear, or nobody answered.
    """
    chains = {each: find_chain(project.history, each) for each in project.history.heads}
    _require_no_labels(project, chains, terminal)
    if reparent:
        return Choice(*_resolve(project, chains, reparent, onto))
    if not asks or not terminal.is_interactive or len(chains) > 2:
        return Choice()
    return _ask(settings, terminal, project, chains)


def _require_no_labels(project: Project, chains: Mapping[str, tuple[str, ...]], terminal: Terminal) -> None:
    labels = {head: found for head, chain in chains.items() if (found := find_labels(project.history, chain))}
    if not labels:
        return
    named = ", ".join(f"{head} (branch {', '.join(found)})" for head, found in labels.items())
    said = f"a branch with a label is meant to have a head of its own: {named}"
    if terminal.is_interactive and terminal.confirm(f"{said}; join it all the same?"):
        return
    hint = "`invoke migrate --target heads` applies all of them as they are; `alembic merge heads -m merge` joins them all the same"
    raise RefusedError(f"{said}; nothing was written", hint=hint)


def _resolve(project: Project, chains: Mapping[str, tuple[str, ...]], reparent: str, onto: str) -> tuple[str, str]:
    """Name the chain that is moved, and the head that it is put after.

    Raises:
        RefusedError: The revision is in all chains, or what to put it after is not clear.
    """
    revision = project.history.resolve(reparent)
    moved = [head for head, chain in chains.items() if revision in chain]
    if not moved:
        raise RefusedError(
            f"revision {revision} comes before the heads part, so it is no side of its own",
            hint=f"name a head: `invoke heads.merge --reparent {next(iter(chains))}`",
        )
    others = [head for head in chains if head != moved[0]]
    target = project.history.resolve(onto) if onto else others[0]
    if target not in others or (not onto and len(others) > 1):
        ways = " or ".join(f"`invoke heads.merge --reparent {moved[0]} --onto {head}`" for head in others)
        raise RefusedError(
            f"{moved[0]} can be put after {' or '.join(others)}; which is not for us to guess", hint=ways
        )
    return moved[0], target


def require_unseen(settings: Settings, terminal: Terminal, project: Project, choice: Choice) -> tuple[str, ...]:
    """Refuse to move a chain that somebody may have applied, and return what is worth knowing before it is moved.

    Raises:
        RefusedError: The database, its ledger or git has seen it.
        DatabaseError: The server did not answer.
    """
    chain = find_chain(project.history, choice.moved)
    seen = call_witness(settings, terminal, project, command=COMMAND).look_for(chain)
    if not seen.reasons:
        return seen.notes
    raise RefusedError(
        f"{choice.moved} cannot be put after {choice.onto}: {'; '.join(seen.reasons)}; nothing was written",
        hint="`invoke heads.merge -m merge` writes a merge revision, which is right wherever they were applied; "
        f"`invoke heads.merge --reparent {choice.onto}` moves the other side, if that was seen nowhere",
    )


def _ask(settings: Settings, terminal: Terminal, project: Project, chains: Mapping[str, tuple[str, ...]]) -> Choice:
    """Show the chains and ask, where something can be chosen.

    Raises:
        RefusedError: The input ended.
    """
    try:
        witness = call_witness(settings, terminal, project, command=COMMAND)
    except DatabaseError as error:
        terminal.say(f"note:  {error.message}; so no side can be moved, and a merge revision it is")
        return Choice()
    fork = read_fork(settings, project)
    for line in fork.lines:
        terminal.say(line)
    ways: dict[str, Choice] = {}
    for head, chain in chains.items():
        other = next(each for each in chains if each != head)
        seen = witness.look_for(chain)
        if seen.reasons:
            terminal.say(f"note:  {head} stays where it is: {'; '.join(seen.reasons)}")
        else:
            ways[str(len(ways) + 1)] = Choice(head, other)
    if not ways:
        return Choice()
    moves = ", ".join(f"[{key}] put {each.moved} after {each.onto}" for key, each in ways.items())
    question = f"{fork.summary}: a [m]erge revision, {moves} [m]? "
    while (given := terminal.ask_or_end(question)) is not None:
        if given.lower() in {"", "m", "merge"}:
            return Choice()
        if given in ways:
            return ways[given]
        terminal.say(f"one of: m, {', '.join(ways)}")
    terminal.say("")
    raise RefusedError("the input ended at the question; nothing was written", hint=AGAIN.format(head=ways["1"].moved))
