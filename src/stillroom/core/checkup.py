"""What a server says about a role, its schemas and its sessions, and what doctor makes of it; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stillroom.core.findings import Finding, Severity, graver, shortened
from stillroom.core.sent_sql import hide_values

BACKUP_CONNECTIONS = (
    2  # the one that holds the lock and the snapshot, and pg_dump; more where it dumps tables side by side
)


@dataclass(frozen=True)
class Role:
    """The role that migrates, every name quoted as SQL has it.

    Args:
        name: Its name.
        database: The database's.
        is_superuser: No right is checked for it.
        connection_limit: How many sessions it may have; -1 for as many as it likes.
        may_keep_records: It may make the schema `stillroom`, or write in the one that is there.
        has_records: That schema is there.
        target: The schema where names without one are created.
        has_target: It is there.
        closed: Those of the schemas it migrates in which it may not create.
    """

    name: str
    database: str
    is_superuser: bool
    connection_limit: int
    may_keep_records: bool
    has_records: bool
    target: str
    has_target: bool
    closed: tuple[str, ...]


@dataclass(frozen=True)
class OpenSchema:
    """A schema on the search path in which a role that is not trusted may create.

    Args:
        schema: Quoted.
        grantee: PUBLIC, or a role, quoted.
        strangers: How many roles that are not trusted may log in at all.
    """

    schema: str
    grantee: str
    strangers: int


@dataclass(frozen=True)
class Session:
    """A session in whose transaction nothing may be cleaned up.

    Args:
        state: Idle in transaction, active; empty where the server hides it.
        age_s: How long its transaction is open, in seconds.
        query: What it ran last, as it was sent.
    """

    pid: int
    role: str
    application: str
    state: str
    age_s: int
    query: str


def judge_role(role: Role, *, is_protected: bool) -> Iterator[Finding]:
    """Say which right the role lacks, with the statement that gives it, and which it has too many of."""
    if not role.has_target:
        what = f"schema {role.target} is not there (dropped by hand?), so nothing can be created in it"
        yield Finding("problem", "schema-missing", what, f"`CREATE SCHEMA {role.target};`, then `invoke migrate`")
    for schema in role.closed:
        grant = f"as its owner: `GRANT USAGE, CREATE ON SCHEMA {schema} TO {role.name};`"
        yield Finding("problem", "schema-rights", f"{role.name} may not create in schema {schema}", grant)
    if not role.may_keep_records:
        what = f"{role.name} may not {'write in' if role.has_records else 'create'} schema stillroom, where the mark is kept"
        grant = "USAGE, CREATE ON SCHEMA stillroom" if role.has_records else f"CREATE ON DATABASE {role.database}"
        yield Finding("warning", "records-rights", what, f"as its owner: `GRANT {grant} TO {role.name};`")
    if role.is_superuser:
        what = f"{role.name} is a superuser: a mistake in a revision may then touch every database of the server"
        hint = "give migrations a role of their own: docs/commands/doctor.md#the-least-rights"
        yield Finding(graver(is_protected=is_protected), "superuser", what, hint)
    elif 0 <= role.connection_limit < BACKUP_CONNECTIONS:
        what = f"{role.name} may have {role.connection_limit} connection at a time, and a backup needs {BACKUP_CONNECTIONS}, or more"
        yield Finding("warning", "connection-limit", what, f"`ALTER ROLE {role.name} CONNECTION LIMIT -1;`")
    if role.has_target and not role.closed and not role.is_superuser:
        yield Finding("ok", "rights", f"{role.name} may create in {role.target}, and is no superuser")


def judge_open_schemas(found: tuple[OpenSchema, ...], *, is_protected: bool) -> tuple[Finding, ...]:
    """Say where others may plant functions that a migration would run as its own role.

    Where no other role can log in, and nothing is at stake, it is information: up to PostgreSQL 14 every database is so.
    """

    def judge(each: OpenSchema) -> Finding:
        severity: Severity = "warning" if is_protected or each.strangers or each.grantee != "PUBLIC" else "info"
        what = f"{each.grantee} may create in schema {each.schema}, so that a function of theirs may run as the role that migrates"
        return Finding(
            severity, "open-schema", what, f"as its owner: `REVOKE CREATE ON SCHEMA {each.schema} FROM {each.grantee};`"
        )

    return shortened(judge(each) for each in found)


def judge_invalid_indexes(names: tuple[str, ...]) -> tuple[Finding, ...]:
    """Name the indexes that a failed concurrent build left behind, each with what mends it.

    Args:
        names: Quoted, with their schemas.
    """

    def judge(name: str) -> Finding:
        drop = f"`DROP INDEX CONCURRENTLY {name};`"
        is_leftover = name.rstrip('0123456789"').endswith(("_ccnew", "_ccold"))
        hint = drop if is_leftover else f"`REINDEX INDEX CONCURRENTLY {name};`, or {drop}"
        what = f"index {name} is invalid: every write pays for it, and no query uses it"
        return Finding("problem", "invalid-index", what, hint)

    return shortened(judge(each) for each in names)


def judge_unvalidated(found: tuple[tuple[str, str], ...]) -> tuple[Finding, ...]:
    """Name the constraints that hold for new rows only.

    Args:
        found: Table and constraint, each quoted.
    """

    def judge(table: str, name: str) -> Finding:
        hint = f"`ALTER TABLE {table} VALIDATE CONSTRAINT {name};` in a revision of its own"
        return Finding("warning", "unvalidated-constraint", f"constraint {name} of {table} is NOT VALID", hint)

    return shortened(judge(*each) for each in found)


def judge_sessions(found: tuple[Session, ...], *, longest_s: float) -> tuple[Finding, ...]:
    """Name the sessions whose transaction is open for longer than that; no literal of their statements is shown."""

    def judge(each: Session) -> Finding:
        last = hide_values(each.query)
        who = f"pid {each.pid}, {each.role}, {each.application or 'no application name'}"
        what = f"{who}: {each.state} in a transaction of {each.age_s} s" + (f": {last}" if last else "")
        hint = f"a migration would wait for it: `select pg_terminate_backend({each.pid});` ends it"
        return Finding("warning", "long-transaction", what, hint)

    return shortened(judge(each) for each in found if each.age_s >= longest_s)
