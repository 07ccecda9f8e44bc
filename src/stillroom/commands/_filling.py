"""A dump restored into a database that is new: with owners and grants where that is possible, else without them."""

from __future__ import annotations

import os
import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.commands._backup import find_fitting_tools
from stillroom.commands._watching import restore_lines, watching
from stillroom.core.pg_tools import choose_jobs
from stillroom.core.session_options import with_session
from stillroom.edges.pg_access import access, reach
from stillroom.edges.pg_programs import RestoreOrder, holds_event_triggers, restore
from stillroom.edges.postgres import databases
from stillroom.edges.postgres.belongings import give_settings
from stillroom.edges.postgres.event_triggers import quiet_settings
from stillroom.edges.postgres.schema_public import creating_in_public, is_anothers, others_among
from stillroom.edges.postgres.scratch import drop_schema
from stillroom.errors import ToolError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._steps import Work
    from stillroom.core.contents import DatabaseSetting, Right
    from stillroom.core.session_options import SessionSettings
    from stillroom.edges.child_body import Voice

PUBLIC = "public"
# What a role that is no superuser, or a server without the other roles, says to an owner or a grant.
OWNERS = re.compile(r'role "[^"]*" does not exist|must be (able to SET|a? ?member of|owner of)|permission denied')


@dataclass(frozen=True)
class Filling:
    """What is restored, and where.

    Args:
        name: What it is, in words.
        dump: The folder that pg_restore reads.
        tool_version: The pg_dump that wrote it.
        size_bytes: Of its files.
        into: The database; made, unless it exists.
        exists: It is there already, and empty.
        keeps_owners: Try to set owners and grants as they were.
        schemas: The only ones in it; `public` among them is made anew by pg_restore.
        model: What a new database is made like; None for the server's own choice.
        settings: Of the database that it was: what is restored may ask for them.
        rights: Owners and grants of what is in it.
    """

    name: str
    dump: Path
    tool_version: str
    size_bytes: int
    into: str
    exists: bool = False
    keeps_owners: bool = True
    model: databases.DatabaseState | None = None
    schemas: tuple[str, ...] = ()
    settings: tuple[DatabaseSetting, ...] = ()
    rights: tuple[Right, ...] = ()


@dataclass(frozen=True)
class Filled:
    """What came out.

    Args:
        has_owners: Owners and grants are as they were.
        session: The settings with which a session changes nothing in it by being there.
        lent: The settings that the database should have, and only its sessions can be given.
    """

    has_owners: bool
    session: SessionSettings = ()
    lent: SessionSettings = ()


def fill(work: Work, admin: Connection, order: Filling, say: Voice) -> Filled:
    """Restore a dump.

    Args:
        work: Names the server and the tools.
        admin: To that server, in autocommit.
        order: What and where.
        say: Told what is tried.

    Raises:
        ToolError: No pg_restore fits, or it failed.
        DatabaseError: The server refused to make the database.
    """
    tools = find_fitting_tools(work.settings, admin, archive_version=order.tool_version, dump=order.dump)
    say(f"restoring {order.name} into {order.into} with pg_restore {tools.version}")
    # Those of an extension are not in its list, and are made early: where they cannot be switched off, they are named.
    session = quiet_settings(admin) if holds_event_triggers(order.dump) else ()
    lent = _prepare(work, admin, order)
    url, environment = with_session(work.target.url, session + lent), work.settings.child_environment
    place = reach(url, environment, admin, major=tools.major, database=order.into)
    jobs = choose_jobs(order.size_bytes, os.cpu_count() or 1)
    major = admin.info.server_version // 10_000
    whole = RestoreOrder(
        order.dump,
        order.into,
        jobs,
        major,
        keeps_owners=order.keeps_owners,
        is_one=order.exists,
        left_out=_left_out(admin, order),
    )
    lines = restore_lines(replace(work, target=replace(work.target, url=url)), say, admin, order.into)
    with access(place, work.command) as environment:
        try:
            with _with_owners(work, admin, order), watching(say, lines):
                restore(tools, whole, environment)
        except ToolError as error:
            if order.exists or not order.keeps_owners or not OWNERS.search(error.message):
                raise
            say(f"{error.message}; once more, without owners and grants")
            databases.drop(admin, order.into)
            databases.create_like(admin, order.into, order.model)
            _prepare(work, admin, order)
            with watching(say, lines):
                restore(tools, replace(whole, keeps_owners=False), environment)
            return Filled(has_owners=False, session=session, lent=lent)
    return Filled(order.keeps_owners, session, lent)


def _left_out(admin: Connection, order: Filling) -> tuple[str, ...]:
    """Leave the owner of `public` as the server made it, where this role may not set it as it was; the rest is restored."""
    then = _public_of(order)
    if then is None or not order.keeps_owners or not is_anothers(admin, then.owner):
        return ()
    return (f"SCHEMA - {PUBLIC} {then.owner}",)


def _with_owners(work: Work, admin: Connection, order: Filling) -> AbstractContextManager[None]:
    """Let the owners that things in `public` get own them."""
    then = _public_of(order)
    if then is None or not order.keeps_owners:
        return nullcontext()
    owners = frozenset(each.owner for each in order.rights if each.name.startswith(f"{PUBLIC}."))
    others = others_among(admin, owners)
    if not others:
        return nullcontext()
    return creating_in_public(work.target.url, order.into, others, then.grants, command=work.command)


def _public_of(order: Filling) -> Right | None:
    """Return whose `public` was; None where a dump that is limited to schemas makes it anew."""
    found = (each for each in order.rights if (each.kind, each.name) == ("schema", PUBLIC))
    return None if PUBLIC in order.schemas else next(found, None)


def _prepare(work: Work, admin: Connection, order: Filling) -> SessionSettings:
    """Make a new database one that the dump can be restored into; return the settings that only its sessions can have.

    A dump that was limited to schemas makes `public` itself, so that the empty one is in its way.
    """
    lent = () if order.exists else give_settings(admin, order.into, order.settings)
    if PUBLIC in order.schemas:
        drop_schema(work.target.url, order.into, PUBLIC, command=work.command)
    return lent
