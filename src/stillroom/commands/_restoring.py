"""Bring a backup into a new database, compare it, and swap it in: the work of a restore, in its child."""

from __future__ import annotations

import re
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._backup import interruptible
from stillroom.commands._comparing_copy import compare_copy
from stillroom.commands._filling import Filled, Filling, fill
from stillroom.commands._recording import record
from stillroom.commands._restore_fit import how_to_make_roles
from stillroom.commands._swapping_in import UNTOUCHED, swap_in
from stillroom.core.backup_names import beside
from stillroom.edges.pg_programs import LackError
from stillroom.edges.postgres import databases
from stillroom.edges.postgres.belongings import give, read_belongings
from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.leftovers import sweep_unfinished
from stillroom.edges.postgres.session import migrating, require_direct
from stillroom.edges.postgres.swap import Names
from stillroom.edges.seams import seam
from stillroom.errors import DatabaseError, StillroomError, ToolError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._steps import Work
    from stillroom.core.contents import Belongings
    from stillroom.core.manifest import Manifest
    from stillroom.edges.backup_list import Backup
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating

NO_OWNERS = "owners and grants are not as they were: roles are missing here, or rights"
MISSING_ROLE = re.compile('role "(.*)" does not exist')
LEFT_OUT = "owners and grants were left out: other roles may use nothing in it until they are granted it again"


@dataclass(frozen=True)
class Order:
    """What to restore, and where.

    Args:
        backup: A good one.
        into: The name of the new database.
        exists: It is there already, and empty; then it is filled, and not dropped when that fails.
        swaps: Put it in the place of the live one afterwards.
        needs_owners: Do not swap when owners and grants could not be set.
        token: Ends the names of what is made.
        keeps_owners: Set owners and grants as they were.
    """

    backup: Backup
    into: str
    exists: bool
    swaps: bool
    needs_owners: bool
    token: str
    keeps_owners: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a restore did.

    Args:
        is_swapped: The backup is in the live database's place.
        kept: What the old one is called now; empty when there was none, or no swap.
        notes: What is not as it was, in words.
        was_at: Where the replaced one was.
    """

    is_swapped: bool
    kept: str
    notes: tuple[str, ...]
    was_at: tuple[str, ...] = ()


def restore_in_child(work: Work, order: Order, say: Voice) -> Outcome:
    """Restore, compare, swap; the migration lock is held from the beginning where something will be swapped.

    Raises:
        DatabaseError: The server refused; the message says what is where.
        ToolError: No pg_restore fits, it failed, or the copy is not what was backed up.
        LockBusyError: A migration or a backup is running.
        InterruptedRunError: A signal; the live database is untouched.
    """
    url = work.target.url
    with ExitStack() as stack:
        admin = stack.enter_context(closing(databases.connect_beside_or_to(url, command=work.command)))
        require_direct(admin, work.limits)
        sweep_unfinished(admin, say)
        live = databases.read_database(admin, url.name)
        stack.enter_context(interruptible(admin, f"interrupted; {UNTOUCHED}", "run the same command again"))
        held = None
        if order.swaps and live:
            layout = work.project.layout
            held = stack.enter_context(migrating(url, layout=layout, limits=work.limits, command=work.command, say=say))
        return _Restoring(work, order, admin, live, say).run(held)


@dataclass(frozen=True)
class _Restoring:
    """One restore under way."""

    work: Work
    order: Order
    admin: Connection
    live: databases.DatabaseState | None
    say: Voice

    @property
    def manifest(self) -> Manifest:
        assert self.order.backup.manifest is not None, "only good backups are restored"
        return self.order.backup.manifest

    def run(self, held: Migrating | None) -> Outcome:
        """Fill a new database; it is dropped again when that fails."""
        try:
            filled = self._fill()
            has_owners = filled.has_owners
            seam("copy filled")
            notes = self._compare(filled)
            self.say("gathering the planner's statistics")
            databases.analyze(self.work.target.url, self.order.into, command=self.work.command)
            if not has_owners:
                notes += (NO_OWNERS if self.order.keeps_owners else LEFT_OUT,)
            belongings = self._read_belongings()
            if belongings:
                notes += give(self.admin, self.order.into, belongings, resets=not self.order.exists)
            self._enter()
            seam("copy filled and compared")
            comment = belongings.comment if belongings else None
            swaps = self.order.swaps and (has_owners or not self.order.needs_owners)
            if belongings and not swaps:
                notes += self._finish(comment)
        except BaseException:
            self._discard()
            raise
        if not swaps:
            return Outcome(is_swapped=False, kept="", notes=notes)
        live = self.work.target.url.name
        kept = beside(live, "before", self.order.token) if held else ""
        swap_in(self.work, self.admin, Names(live, self.order.into, kept, comment), held, self.say)
        return Outcome(is_swapped=True, kept=kept, notes=notes, was_at=held.current.revisions if held else ())

    def _fill(self) -> Filled:
        """Restore into the new database."""
        backup, order = self.order.backup, self.order
        if not order.exists:
            databases.create_like(self.admin, order.into, self.live)
        manifest = self.manifest
        filling = Filling(
            name=backup.name,
            dump=backup.dump,
            tool_version=manifest.tool_version,
            size_bytes=manifest.size_bytes,
            into=order.into,
            exists=order.exists,
            keeps_owners=order.keeps_owners,
            model=self.live,
            schemas=manifest.schemas,
            settings=manifest.contents.belongings.settings,
            rights=manifest.contents.rights,
        )
        try:
            return fill(self.work, self.admin, filling, self.say)
        except ToolError as error:
            missing = MISSING_ROLE.search(error.message)
            if missing:
                raise ToolError(error.message, hint=f"{how_to_make_roles([missing[1]])}; {UNTOUCHED}") from None
            here = self.admin.info.server_version // 10_000
            if manifest.server_major <= here or isinstance(error, LackError):
                raise
            hint = f"the backup is of PostgreSQL {manifest.server_major}, and this server is {here}: restore it into a newer one; {UNTOUCHED}"
            raise ToolError(error.message, hint=hint) from None

    def _compare(self, filled: Filled) -> tuple[str, ...]:
        """Compare the copy with what was there in the dump's snapshot; return what is otherwise without a loss."""
        rows, contents = self.manifest.rows, self.manifest.contents
        compared = compare_copy(
            self.work,
            self.order.into,
            rows,
            contents,
            has_rights=filled.has_owners,
            schemas=self.manifest.schemas,
            session=filled.session + filled.lent,
            say=self.say,
        )
        if compared.differences:
            hint = f"{UNTOUCHED}; `invoke backups` lists the other backups"
            raise ToolError(f"the restored copy is not what was backed up: {compared.told}", hint=hint)
        return compared.notes

    def _read_belongings(self) -> Belongings | None:
        """Read settings, grants, limit and comment of the live database: those of the backup where it is gone."""
        if self.live:
            with self.admin.cursor() as cursor, translated("reading what belongs to the database"):
                return read_belongings(cursor, self.work.target.url.name)
        return None if self.order.exists else self.manifest.contents.belongings

    def _finish(self, comment: str | None) -> tuple[str, ...]:
        try:
            databases.finish(self.admin, self.order.into, comment)
        except DatabaseError as error:
            if not self.order.exists:
                raise
            return (f"the comment: {error.message}",)
        return ()

    def _enter(self) -> None:
        """Say in the restored ledger that what comes after it happened to a copy."""
        url, command = self.work.target.url, self.work.command
        with closing(connect(url, command=command, database=self.order.into)) as connection:
            revisions, name = self.manifest.revisions, self.order.backup.name
            record(self.work, connection, self.say, revisions, "restore", backup=name, after=revisions)

    def _discard(self) -> None:
        name = self.order.into
        if self.order.exists:
            self.say(f"note:  {name} stays, it was there before; look whether it is empty before you try again")
            return
        try:
            databases.drop(self.admin, name)
        except StillroomError as error:
            self.say(f"note:  {name} is left, the next restore drops it ({error.message})")
