"""`invoke ledger.accept`: take the present text of an applied revision for the one that counts."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import limits_of, reach_database, read_project
from stillroom.commands._ledger import read_all
from stillroom.commands._recording import open_recording
from stillroom.commands._records import find_edits_of, hashed
from stillroom.commands._steps import Work
from stillroom.core.ledger.records import Edit, latest_records
from stillroom.core.ledger.statements import Sent
from stillroom.errors import DatabaseError, RefusedError, SettingsError

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

REASON = 'say why: `invoke ledger.accept {what} --reason "reformatted by ruff"`'


@dataclass(frozen=True)
class Accepted:
    """What was accepted.

    Args:
        database: Its name and server.
        revisions: Those whose present text counts from now on.
        left: Those that `--all` did not take, each with the reason.
        reason: As given.
    """

    database: str
    revisions: tuple[str, ...]
    left: tuple[str, ...]
    reason: str

    @property
    def exit_code(self) -> int:
        """6 when some are left."""
        return 6 if self.left else 0


def accept_edits(
    settings: Settings, terminal: Terminal, *, revision: str = "", reason: str = "", everything: bool = False
) -> Accepted:
    """Enter the present text of applied revisions in the ledger; nothing is run on the database.

    Args:
        settings: Where the database is.
        terminal: Told when the ledger cannot be written.
        revision: The one to accept; also one that was applied before there was a ledger.
        reason: Why; it is entered.
        everything: Accept all edits whose compiled SQL is what ran, as after a formatter went over the files.

    Raises:
        SettingsError: Not one of revision and everything, or no reason.
        RefusedError: There is nothing to accept, or the revision is not applied.
        DatabaseError: The ledger cannot be written.
    """
    _require_words(revision, reason, everything=everything)
    project = read_project(settings)
    target = reach_database(settings, terminal)
    found = read_all(settings, project, target, command="ledger.accept")
    work = Work(
        settings, project, target, limits_of(settings, target), "ledger.accept", records=latest_records(found.rows)
    )
    edits = {each.revision: each for each in find_edits_of(project, work.records, found.current.revisions)}
    if everything:
        chosen, left = _choose(work, edits)
    else:
        chosen, left = (_resolve(work, revision, edits, found.current.revisions),), ()
    if chosen:
        _enter(work, terminal, chosen, reason, found.current.revisions)
    return Accepted(target.shown, chosen, left, reason)


def _require_words(revision: str, reason: str, *, everything: bool) -> None:
    if bool(revision) == everything:
        raise SettingsError(
            "either one revision is accepted, or all whose SQL is unchanged",
            hint='`invoke ledger.accept <revision> --reason "…"`, or `--all` instead of the revision',
        )
    if not reason.strip():
        what = "--all" if everything else revision
        raise SettingsError("no reason was given, and it is what others will read", hint=REASON.format(what=what))


def _resolve(work: Work, revision: str, edits: dict[str, Edit], current: tuple[str, ...]) -> str:
    """Name the revision; one that the ledger knows and that was not edited is refused, and so is one that is not applied.

    Raises:
        RefusedError: There is nothing to accept.
    """
    history = work.project.history
    name = history.resolve(revision)
    if name not in history.closure(each for each in current if each in history.revisions):
        raise RefusedError(f"revision {name} is not applied", hint="`invoke status` shows where the database stands")
    if name in work.records and name not in edits:
        raise RefusedError(
            f"{history.revisions[name].path} is what ran; there is nothing to accept", hint="`invoke ledger.verify`"
        )
    return name


def _choose(work: Work, edits: dict[str, Edit]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Take those whose compiled SQL is what ran; the others are named with the reason."""
    chosen, left = [], []
    wanted = [each for each in edits.values() if each.kind == "edited"]
    compiled = _compile(work, tuple(each.revision for each in wanted)) if wanted else {}
    for each in edits.values():
        if each.kind == "moved":
            left.append(f"{each.revision}: it follows {each.detail} now")
        elif each.kind == "layout" or (each.record.sql and compiled.get(each.revision) == each.record.sql):
            chosen.append(each.revision)
        else:
            problem = compiled.get(each.revision, "")
            why = problem if " " in problem else "the SQL it compiles to is not what ran"
            left.append(f"{each.revision}: {why}")
    return tuple(chosen), tuple(left)


def _compile(work: Work, revisions: tuple[str, ...]) -> dict[str, str]:
    """Hash what each revision compiles to without a connection; a sentence where it does not."""
    from stillroom.commands._rendering import rendering

    found = {}
    for step in rendering(work, lambda render: tuple(render(each, "upgrade") for each in revisions)):
        sent = Sent()
        sent.add(step.sql)
        found[step.revision] = f"it cannot be compiled ({step.problem})" if step.problem else sent.sha256
    return found


def _enter(work: Work, terminal: Terminal, revisions: tuple[str, ...], reason: str, current: tuple[str, ...]) -> None:
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.scripts import read_bytes

    with closing(connect(work.target.url, command="ledger.accept")) as connection:
        recording = open_recording(work, connection, current, terminal.say)
        if recording is None:
            raise DatabaseError("nothing was accepted: there is no ledger to enter it in", hint="`invoke doctor`")
        entries = []
        for each in revisions:
            script = work.project.history.revisions[each]
            now = hashed(read_bytes(work.project.layout, script.path))
            known = work.records.get(each)
            entries.append(
                recording.entry(
                    "acceptance", "accepted", revision=each, parents=tuple(sorted(set(script.needs))), script=now.script,
                    tree=now.tree, sql=known.sql if known else "", reason=reason, after=current,
                )
            )  # fmt: skip
        recording.ledger.enter_alone(connection, entries)
