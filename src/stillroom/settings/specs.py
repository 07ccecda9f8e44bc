"""Every setting: its name, its default, what it means. docs/settings.md and .env.example are checked against it."""

from __future__ import annotations

from stillroom.settings.model import SettingSpec

SETTINGS: tuple[SettingSpec, ...] = (
    SettingSpec("DATABASE_URL", "the embedded server", "The application's database."),
    SettingSpec("DATABASE_URL_FILE", "", "A file that holds DATABASE_URL: a Docker or Kubernetes secret."),
    SettingSpec(
        "MIGRATION_DATABASE_URL", "as DATABASE_URL", "A direct way to the same database, past a pooler, for migrations."
    ),
    SettingSpec("APP_ENV", "", "development, test, staging or production; any other name protects the database."),
    SettingSpec("ENVIRONMENT", "", "The same as APP_ENV, which wins."),
    SettingSpec("VISUAL", "as EDITOR", "The editor that reviews a revision, with its arguments."),
    SettingSpec("EDITOR", "", "The editor, where VISUAL is not set."),
    SettingSpec("STILLROOM_PG_BIN", "searched", "The folder of the PostgreSQL programs (pg_dump, initdb)."),
    SettingSpec("STILLROOM_BACKUP_DIR", "backups", "The folder of the backups; relative to the project's root."),
    SettingSpec("STILLROOM_BACKUP_KEEP", "10", "How many verified backups backups.prune keeps."),
    SettingSpec("STILLROOM_BACKUP_KEEP_DAYS", "7", "Younger backups than that many days stay as well."),
    SettingSpec(
        "STILLROOM_BACKUP_COPY_COMMAND", "", "Carries each backup away before anything is migrated: {path}, {name}."
    ),
    SettingSpec("STILLROOM_BACKUP_COMMAND", "", "Makes a managed snapshot in the place of a dump; prints its id last."),
    SettingSpec("STILLROOM_BACKUP_VERIFY_COMMAND", "", "Ends with 0 when the snapshot {id} is there and whole."),
    SettingSpec(
        "STILLROOM_BACKUP_SCHEMAS",
        "all",
        "The only schemas in a backup, comma separated, for a role that may not read the others.",
    ),
    SettingSpec(
        "STILLROOM_VERIFY_RESTORE_MB",
        "2000",
        "Largest database, in megabytes, whose backups are proven by restoring them.",
    ),
    SettingSpec(
        "STILLROOM_WAIT_S", "300", "Seconds to wait for our turn: for the server, then for the migration lock."
    ),
    SettingSpec("STILLROOM_LOCK_TIMEOUT_MS", "500", "Milliseconds a statement waits for a lock."),
    SettingSpec("STILLROOM_STATEMENT_TIMEOUT_MS", "3600000", "Milliseconds one statement may run."),
    SettingSpec("STILLROOM_LOCK_TRIES", "30", "How often a step that met a lock is tried."),
    SettingSpec("STILLROOM_LEDGER", "schema", "schema keeps the record of runs in the database; off keeps none."),
    SettingSpec("STILLROOM_POOLER", "", "session says that the pooler in front of the server pools sessions."),
    SettingSpec("STILLROOM_ALLOW_AHEAD", "no", "yes: a database ahead of this checkout is normal here."),
    SettingSpec("STILLROOM_SEARCH_PATH", "the server's own", "The search_path of migrations."),
    SettingSpec("STILLROOM_SCHEMAS", "public", "The schemas reset-dev drops and puts back, comma separated."),
    SettingSpec(
        "STILLROOM_UNMANAGED_TABLES",
        "none",
        "Tables of other tools, comma separated, with * as a wildcard: autogenerate leaves them alone.",
    ),
    SettingSpec("CI", "", "Set: nobody is asked, no editor is opened."),
    SettingSpec("NO_COLOR", "", "Set: no colour, and no line that is written over."),
    SettingSpec("PYTHON_DOTENV_DISABLED", "", "yes in the environment: .env is not read."),
)
NAMES = frozenset(spec.name for spec in SETTINGS)
DEFAULTS = {spec.name: spec.default for spec in SETTINGS}
# libpq would take these by itself, but an outside program started by us would not see them.
LIBPQ_PLACES = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
LIBPQ_OPTIONS = {"PGPASSFILE": "passfile", "PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert"}
# Whoever sets these means a server of their own; the embedded one would be a mistake.
SERVER_HINTS = ("PGHOST", "POSTGRES_HOST", "POSTGRES_SERVER", "KUBERNETES_SERVICE_HOST")
PREFIX = "STILLROOM_"
READ = NAMES.union(LIBPQ_PLACES, LIBPQ_OPTIONS, SERVER_HINTS)


def is_ours(name: str) -> bool:
    """Tell whether a variable of this name decides something here."""
    return name in READ or name.startswith(PREFIX)
