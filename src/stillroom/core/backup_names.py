"""The names of backups, and of the databases a restore makes beside the one it is for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from stillroom.errors import RefusedError, SettingsError

PARTIAL = ".partial"
NAME = re.compile(r"[A-Za-z0-9_.+-]+-\d{8}T\d{6}Z-[A-Za-z0-9_.+-]+")
IDENTIFIER_MOST_BYTES = 63
PART_MOST = 80  # database and revisions together stay below the 255 bytes of a file name
RESERVED = ("postgres", "template0", "template1")


def backup_name(database: str, created_at: datetime, revisions: tuple[str, ...]) -> str:
    """Name a backup: `<database>-<UTC time>-<revision>`.

    Args:
        database: Characters that a file name should not hold become `_`.
        created_at: In UTC.
        revisions: Joined by `+`; `base` when there is none.
    """
    return f"{clean(database)}-{created_at:%Y%m%dT%H%M%SZ}-{clean('+'.join(revisions) or 'base')}"


def clean(text: str) -> str:
    """Make a text fit into a file's name; it is shortened, and what a path or a shell would read is replaced."""
    return re.sub(r"[^A-Za-z0-9_+-]", "_", text)[:PART_MOST].strip("-") or "_"


def beside(database: str, word: str, token: str) -> str:
    """Name a database beside another: `<database>_restore_<token>`, cut to what PostgreSQL keeps of a name."""
    end = f"_{word}_{token}"
    kept = database.encode()[: IDENTIFIER_MOST_BYTES - len(end)].decode(errors="ignore")
    return kept + end


def require_database_name(name: str) -> str:
    """Accept the name of a new database.

    Raises:
        SettingsError: It is too long, or something else than a name to the tools (`host=evil`).
    """
    is_odd = not name.isprintable() or name != name.strip() or name.startswith("-") or "=" in name or "://" in name
    if not name or is_odd or len(name.encode()) > IDENTIFIER_MOST_BYTES or name in RESERVED:
        hint = "for instance `--into todo_chatbot_old`"
        raise SettingsError(f"--into: {name!r} is no name for a new database", hint=hint)
    return name


def match_tables(tables: Iterable[tuple[str, str]], patterns: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Find the tables that patterns name.

    Args:
        tables: Schema and name of each.
        patterns: `messages`, `public.messages` or `log_*`; without a dot they match in every schema.

    Raises:
        RefusedError: A pattern matches nothing: a misspelt one would silently keep the rows in.
    """
    known, chosen = tuple(tables), set()
    for pattern in patterns:
        wanted = re.compile(re.escape(pattern).replace(r"\*", ".*"), re.DOTALL)
        found = {each for each in known if wanted.fullmatch(".".join(each) if "." in pattern else each[1])}
        if not found:
            names = ", ".join(".".join(each) for each in known[:10]) or "no table at all"
            raise RefusedError(f"--exclude-table-data: no table matches {pattern!r}", hint=f"the database has {names}")
        chosen |= found
    return tuple(sorted(chosen))
