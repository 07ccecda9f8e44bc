"""Who refuses what: every refusal of a dangerous task in one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stillroom.errors import RefusedError, SettingsError

DANGERS = {
    "drop-table": "make-migration writes a revision that only drops tables, or drops some that no revision made",
    "data-loss": "rollback on a protected database deletes rows or values, or cannot tell; make-migration drops what may have been renamed, or changes values",
    "swap": "restore puts a backup in the place of a protected database; the old one is kept beside it",
    "unproven": "stamp writes a revision that the schema could not be proven to be at",
    "ahead": "migrate meets a database that a newer checkout has taken further; there is nothing to do for this one",
    "untrusted": "restore of a backup of another server by a superuser: code in it would run with all rights",
    "outside": "reset-dev takes along objects of other schemas that hang on the dropped one",
}
SAFE_MARKS = ("development", "test")
COPIED = "copied"
TASK, PLAIN = "invoke {command} --allow {danger}", "alembic -x allow={danger} {command}"


@dataclass(frozen=True)
class Standing:
    """What is known about the danger of touching a database.

    Args:
        mark: The environment named in the database itself; None without one, "copied" when it was written elsewhere.
        environment: `APP_ENV`, or an empty string.
        is_embedded: It is the project's own embedded server, which holds nothing but development data.
    """

    mark: str | None
    environment: str
    is_embedded: bool = False

    @property
    def is_protected(self) -> bool:
        """Losing data here is not an option."""
        if self.is_embedded:
            return False
        return self.mark not in SAFE_MARKS or self.is_contradicted

    @property
    def is_contradicted(self) -> bool:
        """The mark and `APP_ENV` name different environments."""
        return self.mark not in {None, COPIED} and bool(self.environment) and self.mark != self.environment

    @property
    def why(self) -> str:
        """Say in words why it is protected or not."""
        if self.is_embedded:
            return "the embedded server is for development"
        if self.mark is None:
            return "it has no mark, so it is unknown"
        if self.mark == COPIED:
            return "its mark came in a copy of another database, so it is unknown"
        if self.is_contradicted:
            return f"it is marked {self.mark}, and APP_ENV says {self.environment}"
        return f"it is marked {self.mark}"


@dataclass(frozen=True)
class Cell:
    """One answer of the table: allowed, refused, or refused unless a danger is allowed by name."""

    verdict: str
    danger: str = ""


ALLOWED, REFUSED = Cell("allowed"), Cell("refused")
TABLE: dict[str, tuple[Cell, Cell]] = {
    # act: (unprotected, protected)
    "migrate": (ALLOWED, ALLOWED),
    "migrate on a database that is ahead of this checkout": (Cell("lifted", "ahead"), Cell("lifted", "ahead")),
    "migrate or rollback after an edit of an applied revision": (ALLOWED, REFUSED),
    "migrate with a pending file that git does not have": (ALLOWED, REFUSED),
    "migrate offered by make-migration": (ALLOWED, REFUSED),
    "make-migration that only drops tables": (Cell("lifted", "drop-table"), Cell("lifted", "drop-table")),
    "make-migration that drops tables no revision made": (Cell("lifted", "drop-table"), Cell("lifted", "drop-table")),
    "rollback that loses nothing": (ALLOWED, ALLOWED),
    "rollback that loses rows or values": (ALLOWED, Cell("lifted", "data-loss")),
    "reset-dev": (ALLOWED, REFUSED),
    "reset-dev that takes objects of other schemas": (Cell("lifted", "outside"), REFUSED),
    "restore into a new database": (ALLOWED, ALLOWED),
    "restore by swap": (ALLOWED, Cell("lifted", "swap")),
    "restore of another server's backup by a superuser": (Cell("lifted", "untrusted"), Cell("lifted", "untrusted")),
    "stamp that is proven": (ALLOWED, ALLOWED),
    "stamp that cannot be proven": (Cell("lifted", "unproven"), Cell("lifted", "unproven")),
}


def parse_allowed(text: str) -> frozenset[str]:
    """Read the value of `--allow`: dangers, separated by commas.

    Raises:
        SettingsError: A danger that does not exist.
    """
    names = frozenset(each.strip() for each in text.split(",") if each.strip())
    unknown = sorted(names - DANGERS.keys())
    if unknown:
        raise SettingsError(f"there is no danger named {unknown[0]!r}", hint=f"one of: {', '.join(DANGERS)}")
    return names


def is_allowed(act: str, standing: Standing, allowed: Iterable[str] = ()) -> bool:
    """Tell whether the table lets an act pass for this database.

    Args:
        act: A key of the table.
        standing: What is known about the database.
        allowed: The dangers that were allowed by name.
    """
    cell = TABLE[act][standing.is_protected]
    return cell.verdict == "allowed" or (cell.verdict == "lifted" and cell.danger in set(allowed))


def require_allowed(
    act: str, standing: Standing, *, allowed: Iterable[str] = (), command: str, detail: str = "", typed: str = TASK
) -> None:
    """Refuse an act that the table refuses for this database.

    Args:
        act: A key of the table.
        standing: What is known about the database.
        allowed: The dangers that were allowed by name.
        command: The command as typed, without `--allow`; shown in the hint.
        detail: What exactly would happen, in words.
        typed: How the command is typed with a danger: that of a task, or of plain `alembic`.

    Raises:
        RefusedError: The table says so.
    """
    if is_allowed(act, standing, allowed):
        return
    cell = TABLE[act][standing.is_protected]
    where = f"the database is protected ({standing.why})" if standing.is_protected else "refused"
    message = f"{act}: {where}" + (f"; {detail}" if detail else "")
    if cell.verdict == "lifted":
        raise RefusedError(message, hint=f"if that is meant: `{typed.format(command=command, danger=cell.danger)}`")
    raise RefusedError(message, hint=_way_out(standing))


def _way_out(standing: Standing) -> str:
    if standing.mark in {None, COPIED, "unknown"}:
        return "if this is a development database: `invoke mark --environment development`"
    if standing.is_contradicted:
        return "correct APP_ENV or DATABASE_URL; `invoke config` shows where they come from"
    return "use a development database: `invoke config` shows where DATABASE_URL comes from"


def refusals_as_markdown() -> str:
    """Write the page `docs/refusals.md`."""
    rows = "\n".join(f"| {act} | {_shown(cells[0])} | {_shown(cells[1])} |" for act, cells in TABLE.items())
    dangers = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in DANGERS.items())
    return f"""# What is refused, and what lifts it

A database is **protected** unless its mark says `development` or `test`, and `APP_ENV` (where it is set) says the same.
The mark is a row in the database itself: `invoke mark` shows it, `invoke mark --environment development` writes it, and the
first `invoke migrate` of an empty database writes it when `APP_ENV` is `development` or `test`. The embedded server is exempt.

A refusal ends with exit code 3 and has touched nothing. `--yes` answers a question; it never lifts a refusal.

| act | unprotected | protected |
|---|---|---|
{rows}

| danger | what it means |
|---|---|
{dangers}

Refused with the settings, exit code 2, and lifted by no flag: a `MIGRATION_DATABASE_URL` that names another database than
`DATABASE_URL`. Where a pooler calls the database by a name of its own, give the tasks the direct address as both, and the
application `DATABASE_URL` alone: `DATABASE_URL="$MIGRATION_DATABASE_URL" invoke migrate`.

This page is printed from the table in `src/stillroom/core/guard.py`: `invoke dev.refusals`.
"""


def _shown(cell: Cell) -> str:
    return f"`--allow {cell.danger}`" if cell.verdict == "lifted" else cell.verdict
