"""STILLROOM_BACKUP_SCHEMAS: a backup of some schemas, for a role that may not read the others."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.commands.backing import databases, make_backup, manifest, names
from tests.commands.support import add_user, database_of, query, write_revision
from tests.servers import Project

LIMITED = {"STILLROOM_BACKUP_SCHEMAS": "public"}


@pytest.fixture
def with_others(migrated: Project) -> Project:
    """A database in which another schema holds what is not ours to read."""
    add_user(migrated)
    query(
        migrated,
        """create schema others; create table others.secrets as select 1 as n; create sequence others.numbers;
           create table public.uses (id int primary key); select lo_create(0)""",
    )
    return migrated


def test_the_backup_holds_these_schemas_and_ours_and_is_proven(with_others: Project) -> None:
    with_others.environment |= LIMITED

    name = make_backup(with_others)

    found = manifest(with_others, name)
    assert found["schemas"] == ["public", "stillroom"]
    assert found["verified"] == "restore"
    assert {each["schema"] for each in found["rows"]} == {"public", "stillroom"}
    assert all(".secrets" not in each["name"] for each in found["contents"]["objects"])


def test_it_is_restored_beside_and_never_swapped_in(with_others: Project) -> None:
    with_others.environment |= LIMITED
    name = make_backup(with_others)

    done = with_others.invoke("restore", name, "--yes")

    (beside,) = databases(with_others) - {database_of(with_others).name}
    assert done.code == 0, done.stderr
    assert "the backup is partial: the schemas public alone" in done.stdout
    assert query(with_others, "select count(*) from others.secrets") == [(1,)]
    with closing(database_of(with_others).server.connect(beside)) as copy, copy.cursor() as cursor:
        cursor.execute("select count(*) from users")
        assert cursor.fetchone() == (1,)


def test_what_a_role_may_not_read_is_listed_before_the_dump(with_others: Project) -> None:
    """F82: tables, sequences and large objects."""
    database = database_of(with_others)
    role = f"reader_{database.name}"
    query(
        with_others,
        f"""create role {role} login; grant usage on schema public, stillroom to {role};
            grant select on all tables in schema public, stillroom to {role}; grant select on all sequences in schema public to {role}""",
    )
    with_others.environment["DATABASE_URL"] = database.url.replace("postgres@", f"{role}@")

    whole = with_others.invoke("backup")
    limited = with_others.invoke("backup", env=LIMITED)

    assert whole.code == 4
    assert "may not read others.secrets, large object " in whole.stderr
    assert "others.numbers" in whole.stderr
    assert "STILLROOM_BACKUP_SCHEMAS limits a backup" in whole.stderr
    assert limited.code == 0, limited.stderr
    assert len(names(with_others)) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("op.execute('alter table others.secrets add m int')", "touches others.secrets, in schema others"),
        ("op.execute('do $$ begin null; end $$')", "and nobody can tell what that touches"),
    ],
)
def test_what_is_pending_must_be_covered(with_others: Project, body: str, said: str) -> None:
    with_others.environment |= LIMITED
    write_revision(with_others, "aaaa0000aaaa", body)

    done = with_others.invoke("backup-then-migrate")

    assert done.code == 3
    assert said in done.stderr
    assert "STILLROOM_BACKUP_SCHEMAS limits the backup to public" in done.stderr
    assert names(with_others) == []


def test_what_is_covered_runs(with_others: Project) -> None:
    with_others.environment |= LIMITED
    write_revision(with_others, "aaaa0000aaaa", "op.execute('alter table uses add m int')")

    done = with_others.invoke("backup-then-migrate")

    assert done.code == 0, done.stderr
    assert len(names(with_others)) == 1
