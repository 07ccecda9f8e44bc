"""What the loader returns: one frozen value that every task starts from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stillroom.core.redact import Redactor, redactor_for
from stillroom.core.urls import DatabaseUrl

EMBEDDED_DATABASE = "todo_chatbot"


@dataclass(frozen=True)
class SettingSpec:
    """One setting as the documentation shows it.

    Args:
        name: The variable's name.
        default: What holds without it, in words or as the value itself.
        meaning: One line: what it decides, with its unit.
    """

    name: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Entry:
    """One setting of this run and where it came from.

    Args:
        name: The variable's name.
        value: The value with secrets masked.
        source: "environment", ".env line 3", "DATABASE_URL_FILE", "alembic.ini" or "default".
    """

    name: str
    value: str
    source: str


@dataclass(frozen=True)
class Settings:
    """Everything a task may know about its surroundings; read once, never changed.

    Args:
        root: The folder of alembic.ini, absolute.
        environment: development, test, staging, production, unknown (named, but not one of ours) or "" (not named).
        environment_given: What was written in APP_ENV or ENVIRONMENT.
        database: The application's database; None means the embedded server.
        migration_database: A direct way to the same database, where the application goes through a pooler.
        embedded_home: The embedded server's folder, whether it exists or not.
        backup_dir: Where backups are kept.
        backup_keep: How many verified backups `backups.prune` keeps.
        backup_schemas: The only schemas in a backup; none for the whole database.
        verify_restore_mb: The largest database, in megabytes, whose backups are proven by restoring them.
        backup_keep_days: Younger ones stay as well.
        backup_copy_command: What carries a backup away, in words; none when nothing does.
        backup_command: What makes a managed snapshot in the place of a dump; none for a dump.
        backup_verify_command: What says whether a snapshot is there.
        wait_s: The longest wait for our turn, in seconds, first for the server, then for the lock.
        lock_timeout_ms: How long one statement may wait for a lock, in milliseconds.
        statement_timeout_ms: How long one statement may run, in milliseconds.
        lock_tries: How often a step that met a lock is tried.
        ledger: "schema" (our tables live in the target database) or "off".
        pooler: "session" accepts a session pooler; "" refuses all poolers.
        allow_ahead: A database ahead of the checkout is normal here.
        search_path: The search_path of migrations; None leaves it to the server.
        schemas: What reset-dev drops and puts back.
        unmanaged_tables: Patterns of tables that belong to other tools.
        pg_bin: The folder of the PostgreSQL programs; None means they are searched.
        editor: The command line of VISUAL or EDITOR; None when neither is set.
        is_ci: CI is set: nobody answers questions.
        no_color: NO_COLOR is set.
        child_environment: What outside programs get as their environment; no URL and no PG* in it.
        command_environment: What the backup commands get: besides that the ways into object stores, and proxies.
        entries: Every setting with its source, secrets masked.
        notes: What a person should know about these settings, one sentence each.
    """

    root: Path
    environment: str
    environment_given: str
    database: DatabaseUrl | None
    migration_database: DatabaseUrl | None
    embedded_home: Path
    backup_dir: Path
    backup_keep: int
    backup_schemas: tuple[str, ...]
    verify_restore_mb: int
    backup_keep_days: int
    backup_copy_command: tuple[str, ...] = field(repr=False)
    backup_command: tuple[str, ...] = field(repr=False)
    backup_verify_command: tuple[str, ...] = field(repr=False)
    wait_s: float
    lock_timeout_ms: int
    statement_timeout_ms: int
    lock_tries: int
    ledger: str
    pooler: str
    allow_ahead: bool
    search_path: str | None
    schemas: tuple[str, ...]
    unmanaged_tables: tuple[str, ...]
    pg_bin: Path | None
    editor: str | None
    is_ci: bool
    no_color: bool
    child_environment: Mapping[str, str] = field(repr=False)
    command_environment: Mapping[str, str] = field(repr=False)
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]

    @property
    def migrating_url(self) -> DatabaseUrl | None:
        """The way migrations take: the direct one if there is one; None means the embedded server."""
        return self.migration_database or self.database

    def says(self, name: str) -> bool:
        """Tell whether a setting was given at all, and is not the default."""
        return any(entry.name == name and entry.source != "default" for entry in self.entries)

    @property
    def redactor(self) -> Redactor:
        """What masks the secrets of these settings in any text."""
        return redactor_for(self.database, self.migration_database)

    def url_for(self, driver: str) -> str:
        """Render the application's database as a SQLAlchemy URL, its password included.

        Args:
            driver: "psycopg2", "psycopg" or "asyncpg".

        Raises:
            SettingsError: driver is none of these.
        """
        return (self.database or embedded_url(self.embedded_home)).render(driver)


def embedded_url(home: Path) -> DatabaseUrl:
    """Name the embedded server's database; nothing is started and no file is touched."""
    from stillroom.core.sockets import socket_folder

    # The port is written out: libpq would take one from PGPORT.
    return DatabaseUrl(
        host=str(socket_folder(home, os.geteuid())), port="5432", user="postgres", password=None, name=EMBEDDED_DATABASE
    )
