"""`doctor` on a database: the way there, rights, where it stands, what is half-made in it, its sessions and backups."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest

from stillroom.commands import _checkup_backups, _checkup_objects, _checkup_server
from stillroom.commands._checkup import Ground, Patient, PatientCheck
from stillroom.commands._database import Target
from stillroom.core.findings import Finding
from stillroom.edges.postgres.current import reading
from stillroom.edges.postgres.session_settings import SETTINGS
from stillroom.edges.terminal import Terminal
from stillroom.settings import load
from tests.commands.backing import folder, make_backup
from tests.commands.examining import Seen, examine, role
from tests.commands.support import (
    HEAD,
    INITIAL,
    TIMEZONE,
    database_of,
    has_table,
    holding_lock,
    in_transaction,
    interrupt,
    launch,
    query,
    running,
    set_mark,
    until,
    write_revision,
)
from tests.commands.test_doctor import git
from tests.faults.pooler import pooler
from tests.servers import ROOT, Project, Server


def statements(hint: str) -> list[str]:
    """The SQL that a hint says to type."""
    return re.findall(r"`([A-Z][^`]*;)`", hint)


def mend(project: Project, seen: Seen, name: str) -> None:
    """Type what the hint of a finding says, as the superuser."""
    query(project, statements(seen.of(name)[2])[0])


@contextmanager
def patient(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """Stand where the checks stand, in this process, so that their bounds can be made smaller."""
    monkeypatch.setenv("DATABASE_URL", database_of(project).url)
    settings = load(project.path)
    assert settings.database is not None
    with closing(database_of(project).connect()) as connection:
        ground = Ground(settings, Terminal(is_interactive=False))
        yield Patient(ground, Target(settings.database, is_embedded=False), connection, None)


def ask(patient: Patient, check: PatientCheck) -> list[Finding]:
    """Do one check as doctor does it."""
    with reading(patient.connection, None) as cursor:
        return list(check(patient, cursor))


def test_a_pooler_is_a_problem_unless_it_is_accepted_by_name(migrated: Project, server: Server) -> None:
    """F34: nothing is set on its sessions."""
    with pooler(server, "transaction", size=2) as running:
        through = {"DATABASE_URL": running.url(database_of(migrated).name)}
        seen, accepted = examine(migrated, through), examine(migrated, through | {"STILLROOM_POOLER": "session"})

    assert (seen.of("pooler")[0], accepted.of("pooler")[0]) == ("problem", "info")
    assert seen.of("pooler")[2].startswith("set MIGRATION_DATABASE_URL to the server itself")
    assert "current" in seen.names("ok")
    assert "pooler" not in [name for _, name, _, _ in examine(migrated).findings]


def test_a_database_that_only_reads_is_a_problem(migrated: Project) -> None:
    """F36."""
    query(migrated, f"alter database {database_of(migrated).name} set default_transaction_read_only = on")

    severity, message, _ = examine(migrated).of("read-only")

    assert (severity, message) == ("problem", "this server is read-only: nothing can be migrated here")


def test_rights_that_are_missing_are_named_with_the_statement_that_gives_them(migrated: Project) -> None:
    """F29, S38: and after these statements nothing is missing."""
    query(migrated, "revoke create on schema public from public")  # who has it up to PostgreSQL 14
    with role(migrated, "connection limit 1") as (name, env):
        query(migrated, f"grant select on all tables in schema public to {name}")
        lacking = examine(migrated, env)
        for finding in ("schema-rights", "records-rights", "connection-limit"):
            mend(migrated, lacking, finding)
        mended = examine(migrated, env)

    assert lacking.names("problem") == ["schema-rights"]
    assert {"records-rights", "connection-limit"} <= set(lacking.names("warning"))
    assert statements(lacking.of("schema-rights")[2]) == [f"GRANT USAGE, CREATE ON SCHEMA public TO {name};"]
    assert not {"schema-rights", "records-rights", "connection-limit", "superuser"} & {
        each[1] for each in mended.findings
    }
    assert "rights" in mended.names("ok")


def test_the_least_rights_of_the_page_are_enough(project_on_database: Project) -> None:
    """S38: for every task that migrates, and for a backup; doctor then has nothing to say against the role."""
    database = database_of(project_on_database)
    name = f"least_{database.name}"
    page = (ROOT / "docs/commands/doctor.md").read_text("utf-8")
    given = (
        re.findall(r"```sql\n(.*?)```", page, re.DOTALL)[0]
        .replace("migrator", name)
        .replace(" shop ", f" {database.name} ")
    )
    query(project_on_database, "revoke create on schema public from public")
    query(project_on_database, given)
    query(project_on_database, f"grant pg_read_all_data to {name}")
    env = {"DATABASE_URL": database.url.replace(f"{database.server.superuser}@", f"{name}@"), "APP_ENV": "development"}

    worked = [
        project_on_database.invoke(*task.split(), env=env)
        for task in ("migrate", "rollback --yes", "migrate", "backup")
    ]
    seen = examine(project_on_database, env)
    query(project_on_database, f"drop owned by {name} cascade; drop role {name}")

    assert [each.code for each in worked] == [0, 0, 0, 0], worked
    assert seen.names("warning", "problem") == []
    assert {"rights", "backup", "current"} <= set(seen.names("ok"))


def test_a_role_that_may_not_make_our_schema_is_told_how(project_on_database: Project) -> None:
    database = database_of(project_on_database).name
    with role(project_on_database) as (name, env):
        seen = examine(project_on_database, env)

    assert statements(seen.of("records-rights")[2]) == [f"GRANT CREATE ON DATABASE {database} TO {name};"]


def test_a_superuser_is_a_warning_where_losing_data_is_no_option(migrated: Project) -> None:
    """S38."""
    query(migrated, "revoke create on schema public from public")
    elsewhere = examine(migrated)
    set_mark(migrated, "production")

    protected = examine(migrated, {"APP_ENV": ""})
    status = migrated.invoke("status", env={"APP_ENV": ""})

    assert (elsewhere.of("superuser")[0], protected.of("superuser")[0]) == ("info", "warning")
    assert "doctor    1 warning at a glance: `invoke doctor`" in status.stdout
    assert "docs/commands/doctor.md#the-least-rights" in protected.of("superuser")[2]


def test_a_schema_in_which_others_may_create_is_named_with_the_revoke(migrated: Project) -> None:
    """S26: everybody, as up to PostgreSQL 14, or one role; roles that are trusted are not named."""
    query(migrated, "grant create on schema public to public")
    for (other,) in query(migrated, "select quote_ident(rolname) from pg_roles where rolcanlogin and not rolsuper"):
        query(migrated, f"alter role {other} nologin")  # those that other tests have left on this server
    alone = examine(migrated)
    with role(migrated) as (name, _):
        together = examine(migrated)
        mend(migrated, together, "open-schema")
        query(migrated, f"grant create on schema public to {name}")
        one = examine(migrated)
        mend(migrated, one, "open-schema")
        closed = examine(migrated)

    assert (alone.of("open-schema")[0], together.of("open-schema")[0]) == ("info", "warning")
    assert statements(together.of("open-schema")[2]) == ["REVOKE CREATE ON SCHEMA public FROM PUBLIC;"]
    assert statements(one.of("open-schema")[2]) == [f"REVOKE CREATE ON SCHEMA public FROM {name};"]
    assert "open-schema" not in [name for _, name, _, _ in closed.findings]


def test_invalid_indexes_are_named_with_the_statements_that_mend_them(migrated: Project) -> None:
    """F71."""
    query(migrated, 'create schema "Odd"; create table "Odd".twice as select 1 as id from generate_series(1, 2)')
    with pytest.raises(psycopg2.errors.UniqueViolation):
        query(migrated, 'create unique index concurrently "Once" on "Odd".twice (id)')

    seen = examine(migrated)
    reindex, drop = statements(seen.of("invalid-index")[2])
    query(migrated, drop)

    assert (seen.of("invalid-index")[0], reindex) == ("problem", 'REINDEX INDEX CONCURRENTLY "Odd"."Once";')
    assert drop == 'DROP INDEX CONCURRENTLY "Odd"."Once";'
    assert "invalid-index" not in examine(migrated).names("problem")


def test_what_a_failed_reindex_left_is_dropped(migrated: Project) -> None:
    query(migrated, "create table twice as select 1 as id from generate_series(1, 2)")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        query(migrated, "create unique index concurrently once_ccnew1 on twice (id)")

    assert statements(examine(migrated).of("invalid-index")[2]) == ["DROP INDEX CONCURRENTLY public.once_ccnew1;"]


def test_an_index_that_is_being_built_is_no_finding(migrated: Project) -> None:
    def build() -> None:
        query(migrated, "create index concurrently slow on users (timezone)")

    builder = threading.Thread(target=build)
    with in_transaction(migrated, "lock table users in row exclusive mode"):
        builder.start()
        until(lambda: query(migrated, "select 1 from pg_index where not indisvalid"))
        seen = examine(migrated)
    builder.join(30)

    assert "invalid-index" not in seen.names("problem")


def test_constraints_that_hold_for_new_rows_only_are_named_with_the_statement(
    migrated: Project, server: Server
) -> None:
    query(migrated, "alter table users add constraint later check (email <> '') not valid")
    if server.major >= 18:
        query(migrated, "alter table users add constraint never check (email <> '') not enforced")

    seen = examine(migrated)
    mend(migrated, seen, "unvalidated-constraint")

    assert statements(seen.of("unvalidated-constraint")[2]) == ["ALTER TABLE public.users VALIDATE CONSTRAINT later;"]
    assert "unvalidated-constraint" not in examine(migrated).names("warning")


def test_a_long_transaction_is_named_without_its_literals(migrated: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """S04."""
    with (
        in_transaction(migrated, "select 'gehe1m' from users") as _,
        patient(migrated, monkeypatch) as here,
    ):
        patience = ask(here, _checkup_objects.check_sessions)
        monkeypatch.setattr(_checkup_objects, "LONG_TRANSACTION_S", 0.0)
        (found,) = ask(here, _checkup_objects.check_sessions)

    assert patience == []
    assert (found.severity, found.name) == ("warning", "long-transaction")
    assert "idle in transaction in a transaction of" in found.message
    assert "select ? from users" in found.message
    assert "gehe1m" not in found.message
    assert re.search(r"`select pg_terminate_backend\(\d+\);`", found.hint)


def test_sessions_whose_doing_is_hidden_are_counted(migrated: Project) -> None:
    with role(migrated) as (name, env), in_transaction(migrated, "select 1"):
        query(migrated, f"grant usage, create on schema public to {name}")
        seen = examine(migrated, env)

    assert seen.of("sessions-hidden")[1] == "what 1 session of other roles does is hidden from this role"


def test_who_holds_the_migration_lock_is_named(migrated: Project) -> None:
    with holding_lock(migrated, application="a deploy"):
        seen = examine(migrated)

    assert seen.of("lock-held")[0] == "info"
    assert "a deploy" in seen.of("lock-held")[1]
    assert "lock-held" not in examine(migrated).names("info")


def test_a_setting_that_the_server_does_not_know_is_named(migrated: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with patient(migrated, monkeypatch) as here:
        known = ask(here, _checkup_server.check_session_settings)
        wanted = SETTINGS | {"no_such_setting": "1s"}
        monkeypatch.setattr("stillroom.edges.postgres.checkup.SETTINGS", wanted)
        (found,) = ask(here, _checkup_server.check_session_settings)

    assert known == []
    assert (found.severity, "no_such_setting" in found.message) == ("info", True)


def test_what_the_server_does_not_tell_is_said_and_the_rest_is_asked(migrated: Project) -> None:
    query(migrated, "revoke select on pg_catalog.pg_stat_activity from public")
    with role(migrated) as (name, env), holding_lock(migrated):
        query(migrated, f"grant usage, create on schema public to {name}")
        query(migrated, f"grant select on all tables in schema public to {name}")
        seen = examine(migrated, env)

    unanswered = [message for _, each, message, _ in seen.findings if each == "unanswered"]
    assert unanswered[0] == "looking at the sessions: permission denied for view pg_stat_activity (42501)"
    assert "current" in seen.names("ok")


def test_a_database_behind_is_information_under_alembics_name_for_it(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "op.execute('create table later ()')")

    seen = examine(migrated)

    assert seen.of("behind") == (
        "info",
        "1 revision pending (Alembic: Target database is not up to date)",
        "`invoke migrate`",
    )


def test_a_revision_that_has_no_file_is_a_problem_under_alembics_name_for_it(migrated: Project) -> None:
    """F13."""
    query(migrated, "update alembic_version set version_num = 'fadedfadedfa'")

    severity, message, hint = examine(migrated).of("unknown-revision")

    assert severity == "problem"
    assert "Can't locate revision identified by 'fadedfadedfa'" in message
    assert "`invoke stamp <revision>`" in hint


def test_a_database_ahead_is_a_problem_and_git_has_the_file(migrated: Project) -> None:
    """F03: unless STILLROOM_ALLOW_AHEAD says that it is normal; what the hint says brings the file back."""
    git(migrated, "init", "-q", "-b", "main")
    git(migrated, "add", "-A")
    git(migrated, "commit", "-q", "-m", "start")
    git(migrated, "switch", "-q", "-c", "feature")
    write_revision(migrated, "aaaa00000001", "op.execute('select 1')")
    git(migrated, "add", "-A")
    git(migrated, "commit", "-q", "-m", "a step")
    assert migrated.invoke("migrate").code == 0
    git(migrated, "switch", "-q", "main")

    seen, normal = examine(migrated), examine(migrated, {"STILLROOM_ALLOW_AHEAD": "yes"})

    severity, message, hint = seen.of("ahead")
    assert (severity, normal.of("ahead")[0]) == ("problem", "info")
    assert "Can't locate revision identified by 'aaaa00000001'" in message
    git(migrated, *re.findall(r"`git ([^`]*)`", hint)[0].split())
    assert examine(migrated).of("current")[1] == "at head, aaaa00000001"


def test_two_rows_of_which_one_comes_before_the_other_are_a_problem(migrated: Project) -> None:
    """F07."""
    query(migrated, f"insert into alembic_version values ('{INITIAL}')")

    severity, message, hint = examine(migrated).of("overlapping")

    assert (severity, hint.startswith(f"`invoke stamp {HEAD}`")) == ("problem", True)
    assert INITIAL in message


@pytest.mark.parametrize("lost", ["truncate alembic_version", "drop table alembic_version"])
def test_tables_without_a_version_row_are_a_problem(migrated: Project, lost: str) -> None:
    """F14: Alembic then says that the database is not up to date."""
    query(migrated, lost)

    severity, message, hint = examine(migrated).of("version-row-missing")

    assert (severity, "public.users" in message, "Target database is not up to date" in message) == (
        "problem",
        True,
        True,
    )
    assert "`invoke migrate`" in hint


def test_a_version_table_elsewhere_is_a_problem_and_the_rest_is_asked(migrated: Project) -> None:
    query(migrated, "create schema app; alter table alembic_version set schema app")
    query(migrated, "alter table users add constraint later check (email <> '') not valid")

    seen = examine(migrated)

    assert seen.of("version-table")[0] == "problem"
    assert "STILLROOM_SEARCH_PATH=app" in seen.of("version-table")[2]
    assert "unvalidated-constraint" in seen.names("warning")


def test_a_version_table_that_somebody_has_locked_is_a_problem_that_names_them(migrated: Project) -> None:
    """F42, F51: after five seconds; Ctrl-C meanwhile is one sentence and 130."""
    with in_transaction(migrated, "lock table alembic_version in access exclusive mode"):
        seen = examine(migrated)
        process = launch(migrated, "doctor")
        until(lambda: running(migrated, "alembic_version"))
        stopped = interrupt(process)

    assert seen.of("version-table")[0] == "problem"
    assert "has locked alembic_version" in seen.of("version-table")[1]
    assert (stopped.code, stopped.stdout, stopped.stderr.count("\n")) == (130, "", 2), stopped
    assert stopped.seconds < 5


def test_starting_fresh_by_hand_is_recognised(migrated: Project) -> None:
    """The two commands of the guide: what is left is empty, and marked; on production that is a warning."""
    query(migrated, "DROP SCHEMA public CASCADE")
    gone = examine(migrated)
    mend(migrated, gone, "schema-missing")
    empty = examine(migrated)
    set_mark(migrated, "production")
    protected = examine(migrated, {"APP_ENV": ""})
    set_mark(migrated, "development")
    done = migrated.alembic("upgrade", "head")

    assert gone.of("schema-missing")[0] == "problem"
    assert (empty.of("empty")[0], protected.of("empty")[0]) == ("info", "warning")
    for words in ("DROP SCHEMA public CASCADE", "start fresh", "marked development"):
        assert words in empty.of("empty")[1]
    assert "`invoke restore`" in protected.of("empty")[2]
    assert (done.code, has_table(migrated, "users")) == (0, True), done.stderr


def test_tables_dropped_one_by_one_are_a_problem(migrated: Project) -> None:
    query(migrated, "drop table messages, conversations, tasks, users cascade")
    fresh = examine(migrated)
    set_mark(migrated, "production")
    protected = examine(migrated, {"APP_ENV": ""})

    assert (fresh.of("tables-missing")[0], protected.of("tables-missing")[0]) == ("problem", "problem")
    assert "`invoke reset-dev`" in fresh.of("tables-missing")[2]
    assert "`invoke restore`" in protected.of("tables-missing")[2]


def test_several_heads_are_a_problem(migrated: Project) -> None:
    """F06."""
    write_revision(migrated, "aaaa00000001", "pass", down=TIMEZONE)

    severity, message, _ = examine(migrated).of("several-heads")

    assert (severity, message.startswith(f"there are 2 heads: {HEAD}, aaaa00000001")) == ("problem", True)


def test_the_age_of_the_last_verified_backup(migrated: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is information on a development database, and a warning on a protected one; another database's is none."""
    missing = examine(migrated)
    set_mark(migrated, "production")
    protected = examine(migrated, {"APP_ENV": ""})
    name = make_backup(migrated)
    there = examine(migrated, {"APP_ENV": ""})
    with patient(migrated, monkeypatch) as here:
        monkeypatch.setattr(_checkup_backups, "OLD_AFTER_S", 0.0)
        old = list(_checkup_backups.check_backups(here.ground.settings, here.database, is_protected=True))
    other = examine(
        migrated, {"DATABASE_URL": database_of(migrated).url.replace(database_of(migrated).name, "postgres")}
    )
    (folder(migrated) / name / "dump" / "toc.dat").unlink()
    damaged = examine(migrated, {"APP_ENV": ""})

    assert (missing.of("backup-missing")[0], protected.of("backup-missing")[0]) == ("info", "warning")
    assert there.of("backup")[0] == "ok"
    assert [(each.severity, each.name) for each in old] == [("warning", "backup-old")]
    assert "backup-missing" in other.names("info", "warning")
    assert {"backup-damaged", "backup-missing"} <= set(damaged.names("warning"))


def test_backups_that_cannot_be_listed_are_a_problem(migrated: Project) -> None:
    (migrated.path / "backups").write_text("a file")

    assert examine(migrated).of("backups-unreadable")[0] == "problem"


def test_a_pg_dump_with_a_known_hole_is_a_warning(migrated: Project, server: Server) -> None:
    """S25: the one that a backup would take, whatever its version says."""
    tools = migrated.path.parent / "tools"
    tools.mkdir()
    for program in ("pg_dump", "pg_restore"):
        (tools / program).write_text(f"#!/bin/sh\necho '{program} (PostgreSQL) {server.major}.1'\n")
        (tools / program).chmod(0o755)

    seen = examine(migrated, {"STILLROOM_PG_BIN": str(tools)})

    found = [(severity, message, hint) for severity, name, message, hint in seen.findings if name == "pg-dump-version"]
    assert {each[0] for each in found} == {"warning"}
    assert f"pg_dump {server.major}.1 in {tools} has CVE-2026-6477" in found[-1][1]
    assert f"postgresql-client-{server.major}" in found[-1][2]
