"""`invoke ledger`: every run and step is entered, by whatever way it came, and nothing is ever changed in it."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from tests.commands.support import (
    HEAD,
    INITIAL,
    TIMEZONE,
    answer,
    current,
    database_of,
    has_table,
    query,
    set_mark,
    write_revision,
)
from tests.servers import Project

FIRST = "aaaa00000001"


def rows(project: Project, columns: str = "kind, outcome, revision") -> list[tuple[object, ...]]:
    return query(project, f"select {columns} from stillroom.ledger order by id")


def test_a_run_and_its_steps_are_entered_with_who_and_what(project_on_database: Project) -> None:
    done = project_on_database.invoke("migrate")

    assert done.code == 0, done.stderr
    assert done.stderr.count("keeps a ledger from now on, in its schema stillroom: `invoke ledger`") == 1
    assert rows(project_on_database) == [
        ("run", "started", ""),
        ("step", "applied", INITIAL),
        ("step", "applied", TIMEZONE),
        ("step", "applied", HEAD),
        ("run", "done", ""),
    ]
    assert len({row[0] for row in rows(project_on_database, "run")}) == 1
    step = rows(
        project_on_database,
        "command, direction, parents, length(script), length(tree), length(sql), role <> '', seconds > 0",
    )[2]
    assert step == ("migrate", "upgrade", [INITIAL], 64, 64, 64, True, True)
    assert rows(project_on_database, "before, after")[-1] == ([], [HEAD])
    assert "keeps a ledger" not in project_on_database.invoke("rollback", "--yes").stderr
    assert rows(project_on_database)[-2:] == [("step", "undone", HEAD), ("run", "done", "")]


def test_git_and_the_application_are_entered(project_on_database: Project) -> None:
    project = project_on_database
    (project.path / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "2.7.1"\n')
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "x"],
    ):
        assert project.run("git", *words).code == 0
    commit = project.run("git", "rev-parse", "HEAD").stdout.strip()

    project.invoke("migrate", "--target", INITIAL)
    (project.path / "alembic.ini").write_text((project.path / "alembic.ini").read_text() + "\n# changed\n")
    project.invoke("migrate")

    found = rows(project, "commit, is_dirty, application")
    assert (found[0], found[-1]) == ((commit, False, "2.7.1"), (commit, True, "2.7.1"))


def test_the_backup_that_was_made_before_is_entered(migrated: Project) -> None:
    query(migrated, "insert into users (email, display_name) values ('ada@example.com', 'Ada')")
    write_revision(migrated, FIRST, "op.execute('create table first ()')")

    done = migrated.invoke("backup-then-migrate", "--json")

    assert done.code == 0, done.stderr
    name = answer(done.stdout)["result"]["backup"]["name"]
    assert rows(migrated, "command, kind, outcome, backup")[-1] == ("backup-then-migrate", "run", "done", name)
    assert f"    backup {name}" in migrated.invoke("ledger").stdout
    restored = migrated.invoke("restore", name, "--yes")
    assert restored.code == 0, restored.stderr
    assert rows(migrated, "command, kind, outcome, backup, after")[-1] == ("restore", "restore", "done", name, [HEAD])
    assert migrated.invoke("ledger.verify").code == 0


def test_a_failed_step_is_entered_after_it_was_rolled_back(migrated: Project) -> None:
    """F67: its SQLSTATE, and nothing of what the server said."""
    write_revision(migrated, FIRST, "op.execute('create table first ()')\nop.execute('select 1/0 as secret_value')")

    assert migrated.invoke("migrate").code == 4

    assert rows(migrated, "kind, outcome, revision, sqlstate")[-2:] == [
        ("step", "failed", FIRST, "22012"),
        ("run", "failed", "", "22012"),
    ]
    assert rows(migrated, "before, after")[-1] == ([HEAD], [HEAD])
    assert not has_table(migrated, "first")
    assert not query(
        migrated, "select 1 from stillroom.ledger l where l::text like '%secret_value%' or l::text like '%division%'"
    )


def test_a_step_that_is_not_committed_has_no_row(migrated: Project) -> None:
    """The row is in the step's own transaction: the version row cannot be there without it, nor it without that."""
    write_revision(migrated, FIRST, "op.execute('create table first ()')")
    query(
        migrated,
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$; "
        "create trigger refuse before update on alembic_version for each row execute function refuse()",
    )

    assert migrated.invoke("migrate").code == 4

    assert ("step", "applied", FIRST) not in rows(migrated)
    assert rows(migrated)[-1] == ("run", "failed", "")


@pytest.mark.parametrize(
    "statement",
    ["update stillroom.ledger set reason = 'x'", "delete from stillroom.ledger", "truncate stillroom.ledger"],
)
def test_it_is_only_ever_added_to(migrated: Project, statement: str) -> None:
    with pytest.raises(psycopg2.Error, match="only ever added to"):
        query(migrated, statement)


def test_plain_alembic_is_entered_too(project_on_database: Project) -> None:
    for words in (
        ["upgrade", "head"],
        ["upgrade", "head"],
        ["downgrade", "-1"],
        ["-x", "allow=unproven", "stamp", INITIAL],
    ):
        assert project_on_database.alembic(*words).code == 0

    assert rows(project_on_database, "command, kind, outcome, revision, after") == [
        ("alembic upgrade", "run", "started", "", []),
        ("alembic upgrade", "step", "applied", INITIAL, []),
        ("alembic upgrade", "step", "applied", TIMEZONE, []),
        ("alembic upgrade", "step", "applied", HEAD, []),
        ("alembic upgrade", "run", "done", "", [HEAD]),
        ("alembic downgrade", "run", "started", "", []),
        ("alembic downgrade", "step", "undone", HEAD, []),
        ("alembic downgrade", "run", "done", "", [TIMEZONE]),
        ("alembic stamp", "run", "started", "", []),
        ("alembic stamp", "stamp", "done", "", [INITIAL]),
    ]


def test_stamps_resets_and_marks_are_entered(migrated: Project) -> None:
    for words in (["stamp", INITIAL, "--allow", "unproven"], ["reset-dev", "--yes"], ["mark", "--environment", "test"]):
        done = migrated.invoke(*words)
        assert done.code == 0, done.stderr

    found = rows(migrated, "command, kind, outcome, before, after")
    assert ("stamp", "stamp", "done", [HEAD], [INITIAL]) in found
    assert ("reset-dev", "reset", "done", [INITIAL], []) in found
    assert found[-1] == ("mark", "mark", "test", [HEAD], [HEAD])


def test_a_role_that_may_not_create_is_told_the_grant_and_goes_on(project_on_database: Project) -> None:
    project, database = project_on_database, database_of(project_on_database)
    role = f"modest_{database.name}"
    query(project, f"create role {role} login; grant create, usage on schema public to {role}")
    query(project, f"revoke create on database {database.name} from public")
    project.environment["DATABASE_URL"] = database.url.replace("//postgres@", f"//{role}@")

    done = project.invoke("migrate")

    assert done.code == 0, done.stderr
    (line,) = [each for each in done.stderr.splitlines() if "no ledger" in each]
    assert line.startswith(
        f"note:  no ledger: {role} may not make stillroom.ledger in {database.name}; without it an edit"
    )
    assert line.endswith(f'as its owner: `GRANT CREATE ON DATABASE "{database.name}" TO "{role}";`')
    assert current(project) == [HEAD]
    query(project, line.split("`")[1])
    assert "keeps a ledger from now on" in project.invoke("rollback", "--yes").stderr


def test_it_can_be_switched_off(project_on_database: Project) -> None:
    project_on_database.environment["STILLROOM_LEDGER"] = "off"

    done = project_on_database.invoke("migrate")

    assert done.code == 0, done.stderr
    assert "ledger" not in done.stderr
    assert not has_table(project_on_database, "stillroom.ledger")
    assert project_on_database.invoke("ledger").stdout.endswith("there is no ledger: STILLROOM_LEDGER is off\n")


def test_a_schema_of_a_newer_stillroom_is_read_and_never_written(migrated: Project) -> None:
    query(migrated, "update stillroom.about set version = 99")
    before = rows(migrated)

    done = migrated.invoke("rollback", "--yes")

    assert done.code == 0, done.stderr
    assert "the schema stillroom is of version 99, and this stillroom knows 1" in done.stderr
    assert rows(migrated) == before
    assert migrated.invoke("ledger").stdout.endswith(": 1 run\n")


def test_a_role_that_only_makes_backups_can_read_it(migrated: Project) -> None:
    """No false refusal: pg_dump locks and reads every table, and asks sequences for their value."""
    database = database_of(migrated)
    role = f"dumper_{database.name}"
    query(
        migrated,
        f"create role {role} login; grant usage on schema public to {role}; grant select on all tables in schema public to {role}",
    )
    query(migrated, f"grant select on all sequences in schema public to {role}")
    migrated.environment["DATABASE_URL"] = database.url.replace("//postgres@", f"//{role}@")

    done = migrated.invoke("backup")

    assert done.code == 0, done.stderr


def test_autogenerate_does_not_see_it(migrated: Project) -> None:
    assert migrated.invoke("check").code == 0
    assert migrated.invoke("check", "--drift").code == 0


def test_a_step_may_not_drop_it(migrated: Project) -> None:
    """F68."""
    write_revision(migrated, FIRST, "op.execute('drop table stillroom.ledger')")

    done = migrated.invoke("migrate")

    assert done.code == 4
    assert "it dropped or replaced stillroom.ledger" in done.stderr
    assert has_table(migrated, "stillroom.ledger")


def test_a_strangers_ledger_is_neither_believed_nor_written(project_on_database: Project) -> None:
    """S27: another role's table could run that role's code with our rights."""
    project, database = project_on_database, database_of(project_on_database)
    stranger, role = f"stranger_{database.name}", f"app_{database.name}"
    query(
        project,
        f"create role {stranger}; create role {role} login; grant create on schema public to {role}; "
        f"create schema stillroom authorization {stranger}; set role {stranger}; grant usage on schema stillroom to public; "
        "create table stillroom.ledger (chain text); grant all on stillroom.ledger to public",
    )
    project.environment["DATABASE_URL"] = database.url.replace("//postgres@", f"//{role}@")

    done = project.invoke("migrate")

    assert done.code == 0, done.stderr
    assert f"schema stillroom is {stranger}'s: `GRANT" in done.stderr
    assert query(project, "select count(*) from stillroom.ledger") == [(0,)]


def test_the_text_names_runs_steps_and_who(migrated: Project) -> None:
    write_revision(migrated, FIRST, "op.execute('select 1/0')")
    migrated.invoke("migrate")

    done = migrated.invoke("ledger")

    lines = done.stdout.splitlines()
    assert (done.code, done.stderr) == (0, "")
    assert lines[0].endswith(f"root on {lines[0].split(' on ')[1]}") or " on " in lines[0]
    assert f"  base -> {HEAD}  " in lines[0]
    assert lines[1].startswith(f"  + {INITIAL}  ")
    assert "migrate  failed" in lines[4]
    assert lines[5].endswith("failed (22012)")
    assert lines[-1].endswith(": 2 runs")


def test_json_holds_every_field(migrated: Project) -> None:
    found = answer(migrated.invoke("ledger", "--json").stdout)["result"]

    (run,) = found["runs"]
    assert (found["count"], run["command"], run["outcome"], run["after"]) == (1, "migrate", "done", [HEAD])
    assert [each["revision"] for each in run["steps"]] == [INITIAL, TIMEZONE, HEAD]


def test_the_last_twenty_runs_are_shown_unless_all_are_asked_for(migrated: Project) -> None:
    for number in range(11):
        for environment in ("test", "development"):
            assert migrated.invoke("mark", "--environment", environment).code == 0, number
    set_mark(migrated, "development")

    assert migrated.invoke("ledger").stdout.endswith(": 23 runs, the last 20 are shown: `--all`\n")
    assert migrated.invoke("ledger", "--all").stdout.count("  mark  ") == 22


def test_runs_at_the_same_moment_make_one_chain(migrated: Project) -> None:
    """Rows come from marks, too, which wait for no migration lock."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        codes = list(
            pool.map(lambda each: migrated.invoke("mark", "--environment", each).code, ["test", "development"] * 4)
        )

    assert set(codes) <= {0, 4}, "4: another one changed it before it was read back"
    assert migrated.invoke("ledger.verify").code == 0
    with closing(database_of(migrated).connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*), count(distinct previous) from stillroom.ledger")
        assert len(set(cursor.fetchone() or ())) == 1
