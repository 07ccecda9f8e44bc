"""S30, S31, F102: the wrong database, by every route: a copied .env, a tunnel, a renamed database, a copy of another one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.commands.backing import make_backup
from tests.commands.support import HEAD, answer, current, query, set_mark, write_revision
from tests.faults.own_server import OwnServer, own_server
from tests.faults.proxy import proxy
from tests.servers import Database, Project

DESTRUCTIVE = [
    ["reset-dev", "--yes"],
    ["reset-dev", "--yes", "--kick", "--allow", "outside"],
    ["rollback", "--target", "base", "--yes"],
]


@pytest.fixture(scope="module")
def other() -> Iterator[OwnServer]:
    """A second cluster: production."""
    with own_server() as running:
        yield running


@pytest.fixture
def production(migrated: Project, other: OwnServer) -> Iterator[Project]:
    """The project's .env of production, on a cluster of its own, with a row in it."""
    database = other.as_server.make_database()
    environment = dict(migrated.environment) | {"DATABASE_URL": other.url(database.name), "APP_ENV": "production"}
    project = Project(migrated.path, environment, database)
    assert project.invoke("migrate").code == 0
    assert project.invoke("mark", "--environment", "production").code == 0
    query(project, "insert into users (email, display_name) values ('ada@example.com', 'Ada')")
    yield project
    database.drop()


def fails_to_hurt(project: Project, words: list[str]) -> str:
    """Try a destructive task, and return what it said; nothing may have changed."""
    done = project.invoke(*words)
    assert done.code == 3, (words, done.stdout, done.stderr)
    assert current(project) == [HEAD]
    assert query(project, "select count(*) from users") == [(1,)]
    return done.stderr


@pytest.mark.parametrize("words", DESTRUCTIVE, ids=" ".join)
def test_a_copied_env_file_does_not_open_production(production: Project, words: list[str]) -> None:
    """F102: URL of production, APP_ENV of the laptop."""
    production.environment["APP_ENV"] = "development"

    said = fails_to_hurt(production, words)

    assert "it is marked production, and APP_ENV says development" in said


@pytest.mark.parametrize("words", DESTRUCTIVE, ids=" ".join)
def test_a_tunnel_does_not_make_it_a_laptops(production: Project, other: OwnServer, words: list[str]) -> None:
    """S31: 127.0.0.1, and the development database's own settings beside it."""
    assert production.database is not None
    with proxy(other.as_server) as tunnel:
        production.environment |= {"APP_ENV": "development", "DATABASE_URL": tunnel.url(production.database)}

        fails_to_hurt(production, words)


def test_a_renamed_database_keeps_its_mark(production: Project, other: OwnServer) -> None:
    assert production.database is not None
    other.query(f"alter database {production.database.name} rename to todo_dev")
    production.database = Database("todo_dev", production.database.server)
    production.environment |= {"APP_ENV": "development", "DATABASE_URL": other.url("todo_dev")}

    fails_to_hurt(production, ["reset-dev", "--yes"])


def dump(project: Project) -> str:
    """What pg_dump of the test's server writes, as anybody would make it."""
    assert project.database is not None
    server = project.database.server
    command = [
        str(server.bin / "pg_dump"),
        "-h",
        server.socket,
        "-p",
        server.port,
        "-U",
        server.superuser,
        "--no-owner",
        project.database.name,
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout


def load(database: Database, text: str) -> None:
    """Run it in another database."""
    server = database.server
    command = [
        str(server.bin / "psql"),
        "-h",
        server.socket,
        "-p",
        server.port,
        "-U",
        server.superuser,
        "-qX",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        database.name,
    ]
    subprocess.run(command, check=True, input=text, text=True, capture_output=True)


def test_a_development_dump_in_production_opens_no_door(migrated: Project, other: OwnServer) -> None:
    """S31: the first rows of production often come from a laptop, and so does its mark then."""
    query(migrated, "insert into users (email, display_name) values ('ada@example.com', 'Ada')")
    database = other.as_server.make_database()
    load(database, dump(migrated))
    seeded = Project(migrated.path, dict(migrated.environment) | {"DATABASE_URL": other.url(database.name)}, database)

    said = fails_to_hurt(seeded, ["reset-dev", "--yes"])

    assert "its mark came in a copy of another database, so it is unknown" in said
    assert answer(seeded.invoke("status", "--json").stdout)["result"]["mark"] == "copied"
    assert seeded.invoke("ledger.verify").code == 0


@pytest.mark.parametrize(("environment", "code"), [("development", 0), ("test", 3), ("production", 3), ("", 3)])
def test_a_copied_mark_is_taken_over_where_app_env_says_the_same(
    migrated: Project, environment: str, code: int
) -> None:
    """A server that was upgraded by dump and restore: the next migrate that applies something says so."""
    database = migrated.database
    assert database is not None
    copy = database.server.make_database()
    load(copy, dump(migrated))
    write_revision(
        migrated, "aaaa00000001", "op.execute('create table first ()')", downgrade="op.execute('drop table first')"
    )
    upgraded = Project(
        migrated.path, dict(migrated.environment) | {"DATABASE_URL": copy.url, "APP_ENV": environment}, copy
    )

    nothing, moved = upgraded.invoke("status"), upgraded.invoke("migrate")
    reset = upgraded.invoke("reset-dev", "--yes")

    assert (nothing.code, moved.code, reset.code) == (0, 0, code), (moved.stderr, reset.stderr)
    assert ("it came as a copy that was marked so, and APP_ENV says so, too" in moved.stderr) == (code == 0)
    copy.drop()


def test_a_production_dump_on_a_laptop_asks_no_name(production: Project, migrated: Project) -> None:
    database = migrated.database
    assert database is not None
    copy = database.server.make_database()
    load(copy, dump(production))
    laptop = Project(migrated.path, dict(migrated.environment) | {"DATABASE_URL": copy.url}, copy)

    refused = laptop.invoke("reset-dev", "--yes")
    marked = laptop.invoke("mark", "--environment", "development")
    done = laptop.invoke("reset-dev", "--yes")

    assert (refused.code, marked.code, done.code) == (3, 0, 0), (refused.stderr, marked.stderr, done.stderr)
    assert "invoke mark --environment development" in refused.stderr
    copy.drop()


@pytest.mark.parametrize("how", ["a template", "a vacuum", "a frozen row", "a backup swapped in"])
def test_what_is_the_same_database_keeps_its_mark(migrated: Project, how: str) -> None:
    """No false refusal: a branch, a copy of files, maintenance and a restore are not another database."""
    if how == "a template":
        assert migrated.database is not None
        server = migrated.database.server
        server.execute(f"create database {migrated.database.name}_t template {migrated.database.name}")
        migrated.database = Database(f"{migrated.database.name}_t", server)
        migrated.environment["DATABASE_URL"] = migrated.database.url
    elif how == "a vacuum":
        query(migrated, "vacuum full stillroom.mark")
    elif how == "a frozen row":
        query(migrated, "vacuum freeze stillroom.mark")
    else:
        name = make_backup(migrated)
        assert migrated.invoke("restore", name, "--yes").code == 0

    assert migrated.invoke("reset-dev", "--yes").code == 0
    if how == "a template":
        assert migrated.database is not None
        migrated.database.drop()


def test_plain_alembic_obeys_the_same_table(production: Project) -> None:
    """S30: rows would be lost; `-x allow=data-loss` says that this is meant."""
    write_revision(
        production,
        "aaaa00000001",
        "op.add_column('users', sa.Column('x', sa.Integer, server_default='1'))",
        downgrade="op.drop_column('users', 'x')",
    )
    assert production.invoke("migrate").code == 0

    refused = production.alembic("downgrade", "-1")
    stamped = production.alembic("stamp", "3f9c1a7be204")
    allowed = production.alembic("-x", "allow=data-loss", "downgrade", "-1")

    assert refused.code != 0
    assert (
        "rollback that loses rows or values: the database is protected (it is marked production)"
        in refused.stdout + refused.stderr
    )
    assert "alembic -x allow=data-loss downgrade" in refused.stdout + refused.stderr
    assert stamped.code != 0
    assert "alembic -x allow=unproven stamp 3f9c1a7be204" in stamped.stdout + stamped.stderr
    assert allowed.code == 0, allowed.stderr
    assert current(production) == [HEAD]


def test_a_mark_that_somebody_else_set_by_hand_counts(migrated: Project) -> None:
    """An administrator's INSERT is as good as ours."""
    set_mark(migrated, "production")

    assert migrated.invoke("reset-dev", "--yes").code == 3
