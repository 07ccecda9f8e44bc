"""Put the settings together, in the order in which they decide each other."""

from __future__ import annotations

from pathlib import Path

from stillroom.core.urls import DatabaseUrl
from stillroom.errors import SettingsError
from stillroom.settings.commands import read_command, read_snapshot_command
from stillroom.settings.databases import read_databases
from stillroom.settings.machine import child_environment, command_environment
from stillroom.settings.model import Entry, Settings
from stillroom.settings.place import find_root, read_environment, stray_dotenv_files
from stillroom.settings.sources import Sources, read_sources, refuse
from stillroom.settings.specs import DEFAULTS, SETTINGS
from stillroom.settings.words import (
    FALSE,
    read_backup_schemas,
    read_choice,
    read_count,
    read_flag,
    read_schemas,
    read_search_path,
    read_seconds,
    read_unmanaged_tables,
)

ORDER = {spec.name: index for index, spec in enumerate(SETTINGS)}


def load(start: Path | None = None) -> Settings:
    """Read the settings of the project around a folder.

    Args:
        start: Where to look for alembic.ini, this folder and upwards; the current folder by default.

    Raises:
        SettingsError: no project here, or a setting that cannot be used.
    """
    root = find_root(start)
    sources = read_sources(root)
    environment, given = read_environment(sources)
    database, migration = read_databases(sources, root, environment)
    lock_timeout_ms, statement_timeout_ms = _read_timeouts(sources)
    wait_s = read_seconds(sources, "STILLROOM_WAIT_S")
    if database is None:
        sources.notes += [f"{path} is not read: settings stand in {root / '.env'}" for path in _strays(root, start)]
    return Settings(
        root=root,
        environment=environment,
        environment_given=given,
        database=database,
        migration_database=migration if migration is not database else None,
        embedded_home=root / ".stillroom" / "postgres",
        backup_dir=_read_path(sources, "STILLROOM_BACKUP_DIR", root) or root / "backups",
        backup_keep=read_count(sources, "STILLROOM_BACKUP_KEEP"),
        backup_schemas=read_backup_schemas(sources),
        verify_restore_mb=read_count(sources, "STILLROOM_VERIFY_RESTORE_MB"),
        backup_keep_days=read_count(sources, "STILLROOM_BACKUP_KEEP_DAYS"),
        backup_copy_command=read_command(sources, "STILLROOM_BACKUP_COPY_COMMAND"),
        backup_command=read_snapshot_command(sources),
        backup_verify_command=read_command(sources, "STILLROOM_BACKUP_VERIFY_COMMAND"),
        wait_s=wait_s,
        lock_timeout_ms=lock_timeout_ms,
        statement_timeout_ms=statement_timeout_ms,
        lock_tries=read_count(sources, "STILLROOM_LOCK_TRIES"),
        ledger=read_choice(sources, "STILLROOM_LEDGER", choices=("schema", "off")),
        pooler=read_choice(sources, "STILLROOM_POOLER", choices=("session",)),
        allow_ahead=read_flag(sources, "STILLROOM_ALLOW_AHEAD"),
        search_path=_read_search_path(sources, migration, database),
        schemas=read_schemas(sources),
        unmanaged_tables=read_unmanaged_tables(sources),
        pg_bin=_read_pg_bin(sources, root),
        editor=_read_editor(sources),
        is_ci=_is_set(sources, "CI"),
        no_color=_is_set(sources, "NO_COLOR"),
        child_environment=child_environment(sources.environment),
        command_environment=command_environment(sources.environment),
        entries=_complete(sources),
        notes=tuple(dict.fromkeys(sources.notes)),
    )


def _read_timeouts(sources: Sources) -> tuple[int, int]:
    """Read both timeouts; a lock awaited longer than a statement may run could never be reported as a lock."""
    lock = read_count(sources, "STILLROOM_LOCK_TIMEOUT_MS")
    statement = read_count(sources, "STILLROOM_STATEMENT_TIMEOUT_MS")
    if lock >= statement:
        message = f"STILLROOM_LOCK_TIMEOUT_MS ({lock}) is not below STILLROOM_STATEMENT_TIMEOUT_MS ({statement})"
        raise SettingsError(message, hint=f"write `STILLROOM_LOCK_TIMEOUT_MS={DEFAULTS['STILLROOM_LOCK_TIMEOUT_MS']}`")
    return lock, statement


def _read_path(sources: Sources, name: str, root: Path) -> Path | None:
    """Read a path, relative to the root; `~/` is written where no shell expands it."""
    value = sources.read(name)
    if value is None:
        return None
    home = sources.environment.get("HOME", "")
    text = value.text.strip()
    return Path(home, text[2:]) if home and text.startswith("~/") else root / text


def _read_pg_bin(sources: Sources, root: Path) -> Path | None:
    path = _read_path(sources, "STILLROOM_PG_BIN", root)
    value = sources.find("STILLROOM_PG_BIN")
    if path and value and not path.is_dir():
        raise refuse(value, "there is no such folder", "write the folder of `pg_dump`: `pg_config --bindir`")
    return path


def _read_editor(sources: Sources) -> str | None:
    values = [sources.read(name) for name in ("VISUAL", "EDITOR")]
    return next((value.text.strip() for value in values if value), None)


def _read_search_path(sources: Sources, *urls: DatabaseUrl | None) -> str | None:
    """Read the search_path; without one the `schema=` of a URL is taken, the migrations' own first."""
    path = read_search_path(sources)
    return path or next((url.search_path for url in urls if url and url.search_path), None)


def _is_set(sources: Sources, name: str) -> bool:
    """Read a switch that other programs define: NO_COLOR counts with any text, CI but for a no."""
    value = sources.read(name)
    return value is not None and (name == "NO_COLOR" or value.text.strip().casefold() not in FALSE)


def _strays(root: Path, start: Path | None) -> list[Path]:
    return [] if (root / ".env").exists() else list(stray_dotenv_files(root, (start or Path.cwd()).resolve()))


def _complete(sources: Sources) -> tuple[Entry, ...]:
    """Add what nobody asked for, and bring all into the order of the documentation; a URL's details follow it."""
    recorded = {entry.name for entry in sources.entries}
    for spec in SETTINGS:
        if spec.name not in recorded:
            value = sources.find(spec.name) if not spec.name.endswith("DATABASE_URL") else None
            sources.record(spec.name, value.text if value else spec.default, value.source if value else "default")
    return tuple(sorted(sources.entries, key=lambda entry: ORDER.get(entry.name.split()[0], len(ORDER))))
