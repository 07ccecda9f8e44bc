"""Numbers, words and lists as a person writes them; what is out of bounds is refused by name and unit."""

from __future__ import annotations

import re

from stillroom.settings.sources import TRUE_WORDS, Sources, Value, refuse
from stillroom.settings.specs import DEFAULTS

# name: lowest, highest, what is counted. A day is longer than any wait that somebody still watches.
BOUNDS: dict[str, tuple[int, int, str]] = {
    "STILLROOM_BACKUP_KEEP": (1, 10_000, "backups"),
    "STILLROOM_VERIFY_RESTORE_MB": (0, 100_000_000, "megabytes"),
    "STILLROOM_BACKUP_KEEP_DAYS": (0, 36_500, "days"),
    "STILLROOM_WAIT_S": (0, 86_400, "seconds"),
    "STILLROOM_LOCK_TIMEOUT_MS": (1, 600_000, "milliseconds"),
    "STILLROOM_STATEMENT_TIMEOUT_MS": (100, 604_800_000, "milliseconds"),
    "STILLROOM_LOCK_TRIES": (1, 10_000, "tries"),
}
TRUE = TRUE_WORDS | {"on"}
FALSE = frozenset({"0", "false", "f", "no", "n", "off"})
# As PostgreSQL splits it, but for `'` and `;`: nobody means a schema whose name holds one and writes it without `"`.
SCHEMA = r"""(?:"(?:[^"]|"")+"|[^\s,"';]+)"""
SEARCH_PATH = re.compile(rf"{SCHEMA}(?:\s*,\s*{SCHEMA})*")
SYSTEM_SCHEMAS = ("pg_", "information_schema")


def read_count(sources: Sources, name: str) -> int:
    """Read a whole number.

    Raises:
        SettingsError: it is none, carries a unit, or is out of bounds.
    """
    value = sources.read(name)
    low, high, unit = BOUNDS[name]
    text = value.text.strip() if value else DEFAULTS[name]
    if value and not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
        raise refuse(value, f"no whole number of {unit} from {low} to {high}", f"write `{name}={DEFAULTS[name]}`")
    return int(text)


def read_seconds(sources: Sources, name: str) -> float:
    """Read seconds, fractions allowed.

    Raises:
        SettingsError: no number, a unit behind it, or out of bounds.
    """
    value = sources.read(name)
    low, high, unit = BOUNDS[name]
    text = value.text.strip() if value else DEFAULTS[name]
    whole, _, part = text.partition(".")
    is_number = text.isascii() and (whole + part).isdigit() and len(text) < 12
    if value and not (is_number and low <= float(text) <= high):
        raise refuse(value, f"no number of {unit} from {low} to {high}", f"write `{name}={DEFAULTS[name]}`")
    return float(text)


def read_choice(sources: Sources, name: str, *, choices: tuple[str, ...]) -> str:
    """Read one of a few words; the default without one.

    Raises:
        SettingsError: another word.
    """
    value = sources.read(name)
    word = value.text.strip().lower() if value else DEFAULTS[name]
    if value and word not in choices:
        raise refuse(value, f"not one of: {', '.join(choices)}", f"write `{name}={choices[0]}`, or remove it")
    return word


def read_flag(sources: Sources, name: str) -> bool:
    """Read yes or no; no without one.

    Raises:
        SettingsError: neither.
    """
    value = sources.read(name)
    word = value.text.strip().casefold() if value else "no"
    if value and word not in TRUE | FALSE:
        raise refuse(value, "neither yes nor no", f"write `{name}=yes` or `{name}=no`")
    return word in TRUE


def read_schemas(sources: Sources) -> tuple[str, ...]:
    """Read the schemas reset-dev drops; PostgreSQL's own are never among them.

    Raises:
        SettingsError: a blank name, or a schema of PostgreSQL's.
    """
    return _read_names(sources, "STILLROOM_SCHEMAS") or ("public",)


def read_backup_schemas(sources: Sources) -> tuple[str, ...]:
    """Read the only schemas in a backup; none for all.

    Raises:
        SettingsError: a blank name, or a schema of PostgreSQL's.
    """
    return _read_names(sources, "STILLROOM_BACKUP_SCHEMAS")


def _read_names(sources: Sources, name: str) -> tuple[str, ...]:
    value = sources.read(name)
    if value is None:
        return ()
    names = tuple(dict.fromkeys(each.strip() for each in value.text.split(",")))
    _require_own_schemas(value, names)
    return names


def read_unmanaged_tables(sources: Sources) -> tuple[str, ...]:
    """Read the patterns of tables that belong to other tools.

    Raises:
        SettingsError: a blank one, or one that leaves every table alone.
    """
    value = sources.read("STILLROOM_UNMANAGED_TABLES")
    if value is None:
        return ()
    patterns = tuple(dict.fromkeys(each.strip() for each in value.text.split(",")))
    if any(not each.strip("*.") for each in patterns):
        raise refuse(value, "no list of tables", "write `STILLROOM_UNMANAGED_TABLES=celery_*, audit.log`")
    return patterns


def read_search_path(sources: Sources) -> str | None:
    """Read the search_path of migrations, in the syntax of SET; None without one.

    Raises:
        SettingsError: it is no list of schemas.
    """
    value = sources.read("STILLROOM_SEARCH_PATH")
    if value is None:
        return None
    path = value.text.strip()
    if not SEARCH_PATH.fullmatch(path):
        what = 'no list of schemas, separated by commas, each plain or in `"`'
        raise refuse(value, what, "write `STILLROOM_SEARCH_PATH=app, public`")
    return path


def _require_own_schemas(value: Value, names: tuple[str, ...]) -> None:
    for name in names:
        if not name or name.startswith(SYSTEM_SCHEMAS):
            raise refuse(value, "a name is blank, or PostgreSQL's own", f"write `{value.name}=public,app`")
