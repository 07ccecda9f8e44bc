"""`migrate` when a revision, a file or the server is not as it should be: a known state, and it is said."""

from __future__ import annotations

import pytest

from tests.commands.support import HEAD, answer, current, database_of, has_table, query, write_revision
from tests.servers import Project

FIRST, SECOND, THIRD = "aaaa00000001", "aaaa00000002", "aaaa00000003"


def three_steps(project: Project, second: str) -> None:
    """Add three revisions of which the second is the given one."""
    write_revision(project, FIRST, "op.create_table('first', sa.Column('id', sa.Integer))")
    write_revision(project, SECOND, second, down=FIRST)
    write_revision(project, THIRD, "op.create_table('third', sa.Column('id', sa.Integer))", down=SECOND)


@pytest.mark.parametrize(
    ("body", "said", "line"),
    [
        ("op.execute('select 1/0')", "division by zero (22012)", 11),
        (
            "op.create_table('half', sa.Column('id', sa.Integer))\nraise ValueError('no such thing')",
            "ValueError: no such thing",
            12,
        ),
        ("import sys; sys.exit(0)", "the revision left the process (SystemExit: 0)", 11),
        ("op.execute('select * from nowhere')", 'relation "nowhere" does not exist (42P01)', 11),
    ],
    ids=["SQL error", "Python error", "sys.exit", "missing table"],
)
def test_an_error_in_the_middle_keeps_the_earlier_steps_and_says_all_three(
    migrated: Project, body: str, said: str, line: int
) -> None:
    three_steps(migrated, body)

    done = migrated.invoke("migrate")

    assert done.code == 4
    assert (
        f"error: {SECOND} failed at line {line}: {said}; it was rolled back; 1 of 3 applied, 1 not tried\n"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert current(migrated) == [FIRST]
    assert [has_table(migrated, name) for name in ("first", "half", "third")] == [True, False, False]


def test_after_a_failure_the_rest_runs_once_the_revision_is_corrected(migrated: Project) -> None:
    three_steps(migrated, "op.execute('select 1/0')")
    migrated.invoke("migrate")
    write_revision(migrated, SECOND, "op.execute('select 1')", down=FIRST)

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    assert "2 revisions applied" in done.stdout
    assert current(migrated) == [THIRD]


def test_a_revision_that_ends_the_process_is_found_out(migrated: Project) -> None:
    """F63."""
    three_steps(migrated, "import os; os._exit(0)")

    done = migrated.invoke("migrate")

    assert done.code == 4
    assert (
        f"the process that ran the steps left the process with exit code 0; {database_of(migrated).name} on "
        in done.stderr
    )
    assert f" is at {FIRST}\n" in (done.stderr)
    assert current(migrated) == [FIRST]


def test_what_a_revision_prints_never_reaches_stdout(migrated: Project) -> None:
    write_revision(migrated, FIRST, "print('from the revision')\nimport os; os.system('echo from a child')")

    done = migrated.invoke("migrate", "--json")

    assert answer(done.stdout)["ok"] is True
    assert "from the revision" in done.stderr
    assert "from a child" in done.stderr


def test_a_failure_after_an_autocommit_block_says_that_part_of_it_stays(migrated: Project) -> None:
    write_revision(
        migrated,
        FIRST,
        """
        op.create_table('half', sa.Column('id', sa.Integer))
        with op.get_context().autocommit_block():
            op.execute('create index concurrently half_id on half (id)')
        op.execute('select 1/0')
        """,
    )

    done = migrated.invoke("migrate")

    assert done.code == 4
    assert "part of it was committed by an autocommit block; 0 of 1 applied, 0 not tried" in done.stderr
    assert current(migrated) == [HEAD]


def test_an_error_shows_no_rows_and_no_parameters(migrated: Project) -> None:
    statement = "sa.text(\"insert into users (email, display_name) values (:email, 'x'), (:email, 'y')\").bindparams(email='secret@example.com')"
    write_revision(migrated, FIRST, f"op.get_bind().execute({statement})")

    done = migrated.invoke("migrate")

    assert done.code == 4
    assert "duplicate key value violates unique constraint" in done.stderr
    assert "secret@example.com" not in done.stderr + done.stdout


def test_the_json_of_a_failure_has_its_kind_and_hint(migrated: Project) -> None:
    three_steps(migrated, "op.execute('select 1/0')")

    done = migrated.invoke("migrate", "--json")

    error = answer(done.stdout)["error"]
    assert (done.code, error["exit_code"], error["kind"]) == (4, 4, "database")
    assert error["hint"] == "correct the revision, then run the same command again"
    assert done.stderr == f"  + {FIRST}  a step  0.00 s\n" or done.stderr.startswith(f"  + {FIRST}  a step")


def test_a_database_that_only_reads_is_said(project_on_database: Project) -> None:
    name = database_of(project_on_database).name
    query(project_on_database, f"alter database {name} set default_transaction_read_only = on")

    done = project_on_database.invoke("migrate")

    assert done.code == 4
    assert (
        done.stderr
        == f"error: {name}: this server is read-only, nothing can be migrated here\nhint:  connect to the primary\n"
    )


def test_a_database_that_only_reads_and_is_at_head_is_fine(migrated: Project) -> None:
    query(migrated, f"alter database {database_of(migrated).name} set default_transaction_read_only = on")

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr


def test_a_role_that_may_not_create_tables_is_told_so(project_on_database: Project) -> None:
    database = database_of(project_on_database)
    role = f"reader_{database.name}"
    query(project_on_database, f"create role {role} login")
    query(project_on_database, "revoke create on schema public from public")

    done = project_on_database.invoke("migrate", env={"DATABASE_URL": database.url.replace("postgres@", f"{role}@")})

    assert done.code == 4
    assert "the version table failed: permission denied for schema public (42501)" in done.stderr
    assert "ask the owner" in done.stderr
    database.server.execute(f"drop role {role}")


def test_no_server_at_the_address_is_one_line(migrated: Project) -> None:
    done = migrated.invoke("migrate", "--wait-s", "0", env={"DATABASE_URL": "postgresql://app:geheim@127.0.0.1:1/shop"})

    assert done.code == 4
    assert "Connection refused" in done.stderr
    assert "geheim" not in done.stderr
    assert len(done.stderr.splitlines()) == 2
