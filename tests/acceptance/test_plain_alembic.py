"""Plain `alembic` typed by hand: the same settings, URL, timeouts and lock as the tasks."""

from __future__ import annotations

import shutil

import pytest

from tests.commands.support import (
    HEAD,
    INITIAL,
    TIMEZONE,
    current,
    finish,
    has_table,
    holding_lock,
    interrupt,
    launch,
    query,
    running,
    until,
    write_revision,
)
from tests.servers import Project


@pytest.fixture
def project_at_head(project_on_database: Project) -> Project:
    """A project that plain alembic has migrated."""
    done = project_on_database.alembic("upgrade", "head")
    assert done.code == 0, done.stderr
    return project_on_database


def test_upgrade_head_applies_everything_and_says_each_step(project_on_database: Project) -> None:
    done = project_on_database.alembic("upgrade", "head")

    assert (done.code, done.stdout) == (0, "")
    said = done.stderr.splitlines()
    assert said[0].endswith("keeps a ledger from now on, in its schema stillroom: `invoke ledger`")
    assert said[1:] == [
        f"upgrade base -> {INITIAL}",
        f"upgrade {INITIAL} -> {TIMEZONE}",
        f"upgrade {TIMEZONE} -> {HEAD}",
    ]
    assert current(project_on_database) == [HEAD]
    assert query(
        project_on_database, "select indisvalid from pg_index where indexrelid = 'ix_tasks_open_due_at'::regclass"
    ) == [(True,)]


def test_upgrade_twice_applies_nothing_the_second_time(project_at_head: Project) -> None:
    done = project_at_head.alembic("upgrade", "head")

    assert (done.code, done.stderr) == (0, "")


def test_downgrade_undoes_one(project_at_head: Project) -> None:
    done = project_at_head.alembic("downgrade", "-1")

    assert done.code == 0, done.stderr
    assert current(project_at_head) == [TIMEZONE]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["current"], f"{HEAD} (head)\n"),
        (["history"], f"{TIMEZONE} -> {HEAD} (head), index open tasks by due date\n"),
        (["history", "--indicate-current"], f"{TIMEZONE} -> {HEAD} (head) (current), index open tasks by due date\n"),
        (["heads"], f"{HEAD} (head)\n"),
        (["check"], "No new upgrade operations detected.\n"),
    ],
    ids=["current", "history", "history with current", "heads", "check"],
)
def test_what_only_reads_never_waits_for_the_lock(project_at_head: Project, command: list[str], said: str) -> None:
    with holding_lock(project_at_head):
        done = project_at_head.alembic(*command, timeout=20)

    assert done.code == 0, done.stderr
    assert said in done.stdout


@pytest.mark.parametrize(
    "command",
    [["upgrade", "head"], ["downgrade", "-1"], ["-x", "allow=unproven", "stamp", INITIAL]],
    ids=["upgrade", "downgrade", "stamp"],
)
def test_what_writes_waits_for_the_lock(project_at_head: Project, command: list[str]) -> None:
    write_revision(project_at_head, "aaaa00000001", "op.execute('select 1')")

    with holding_lock(project_at_head, application="a deploy"):
        done = project_at_head.alembic(*command, env={"STILLROOM_WAIT_S": "0.5"})

    assert done.code != 0
    assert "another migration is running" in done.stdout + done.stderr
    assert "a deploy" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert current(project_at_head) == [HEAD]


def test_stamp_writes_the_version_table(project_at_head: Project) -> None:
    query(project_at_head, "drop table alembic_version")

    done = project_at_head.alembic("stamp", "head")

    assert done.code == 0, done.stderr
    assert current(project_at_head) == [HEAD]


def test_revision_autogenerate_writes_a_file_that_runs(project_at_head: Project) -> None:
    users = project_at_head.path / "src/models/users.py"
    users.write_text(
        users.read_text().replace(
            "    created_at:", "    nick: str | None = Field(default=None, max_length=40)\n    created_at:"
        )
    )

    made = project_at_head.alembic("revision", "--autogenerate", "-m", "Add nick to users")
    upgraded = project_at_head.alembic("upgrade", "head")
    checked = project_at_head.alembic("check")

    assert made.code == 0, made.stderr
    (path,) = (project_at_head.path / "migrations/alembic/versions").glob("*_add_nick_to_users.py")
    assert "import sqlmodel" not in path.read_text()
    assert upgraded.code == 0, upgraded.stderr
    assert checked.code == 0, checked.stdout


def test_offline_sql_needs_no_database_and_starts_no_server(project: Project) -> None:
    done = project.alembic("upgrade", "head", "--sql", env={"APP_ENV": "production"})

    assert done.code == 0, done.stderr
    assert "CREATE TABLE users" in done.stdout
    assert "CREATE INDEX CONCURRENTLY ix_tasks_open_due_at" in done.stdout
    assert done.stdout.rstrip().endswith("COMMIT;")
    assert not (project.path / ".stillroom").exists()


def test_an_error_is_one_line_and_keeps_the_earlier_steps(project_at_head: Project) -> None:
    write_revision(project_at_head, "aaaa00000001", "op.create_table('first', sa.Column('id', sa.Integer))")
    write_revision(project_at_head, "aaaa00000002", "op.execute('select 1/0')", down="aaaa00000001")

    done = project_at_head.alembic("upgrade", "head")

    assert done.code != 0
    assert "division by zero (22012)" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert current(project_at_head) == ["aaaa00000001"]


def test_no_settings_are_one_line_too(project: Project) -> None:
    done = project.alembic("upgrade", "head", env={"APP_ENV": "production"})

    assert done.code != 0
    assert "Traceback" not in done.stderr
    assert "DATABASE_URL" in done.stdout + done.stderr


def test_ctrl_c_leaves_nothing_behind_in_the_server(project_at_head: Project) -> None:
    write_revision(project_at_head, "aaaa00000001", "op.execute('select pg_sleep(12)')")
    process = launch(project_at_head, "upgrade", "head", program="alembic")
    until(lambda: running(project_at_head, "pg_sleep"))

    stopped = interrupt(process)

    assert stopped.code != 0
    assert stopped.seconds < 3
    until(lambda: not running(project_at_head, "pg_sleep"), within_s=3)
    assert current(project_at_head) == [HEAD]


def test_four_at_once_apply_each_revision_once(project_on_database: Project) -> None:
    ended = [
        finish(process)
        for process in [launch(project_on_database, "upgrade", "head", program="alembic") for _ in range(4)]
    ]

    assert [code for code, _, _ in ended] == [0] * 4, ended
    steps = [line for _, _, stderr in ended for line in stderr.splitlines() if line.startswith("upgrade ")]
    assert len(steps) == 3


def test_a_folder_named_alembic_beside_it_does_no_harm(project_on_database: Project) -> None:
    shutil.copytree(project_on_database.path / "migrations/alembic/versions", project_on_database.path / "alembic")

    done = project_on_database.invoke("migrate")

    assert done.code == 0, done.stderr
    assert has_table(project_on_database, "users")


LIES = {
    "commit()": ("op.get_bind().commit()", "the revision failed: it ended its own transaction"),
    "sys.exit(0)": ("import sys; sys.exit(0)", "the revision left the process (SystemExit: 0)"),
    "alembic in it": (
        "from alembic import command; from alembic.config import Config\ncommand.upgrade(Config('alembic.ini'), 'head')",
        "it runs alembic, which would wait for this run to end",
    ),
}


@pytest.mark.parametrize(("body", "said"), LIES.values(), ids=LIES)
def test_a_revision_that_lies_is_found_out_here_as_well(project_at_head: Project, body: str, said: str) -> None:
    """F62, F63 through plain alembic: Alembic alone records the step, or leaves with 0, or waits for itself."""
    write_revision(project_at_head, "aaaa00000001", f"op.execute('create table lie ()')\n{body}")

    done = project_at_head.alembic("upgrade", "head")

    assert done.code != 0
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert current(project_at_head) == [HEAD]
