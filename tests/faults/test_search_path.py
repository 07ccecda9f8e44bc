"""A schema with the role's own name, which PostgreSQL's default search_path puts before all others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.commands.support import database_of, query, write_revision
from tests.servers import Project

FIRST = "aaaa00000001"


@pytest.fixture
def role(migrated: Project) -> Iterator[str]:
    """A superuser with a name of its own, as which the project connects."""
    database = database_of(migrated)
    name = f"role_{database.name}"
    database.server.execute(f"create role {name} login superuser")
    migrated.environment["DATABASE_URL"] = database.url.replace("postgres@", f"{name}@")
    yield name
    database.drop()
    database.server.execute(f"drop role {name}")


def test_a_schema_named_like_the_role_changes_nothing(migrated: Project, role: str) -> None:
    """F74: plain Alembic makes every table a second time in it, the version table as well, and says 0."""
    query(migrated, f"create schema {role} authorization {role}")
    assert query(migrated, "show search_path") == [('"$user", public',)]
    write_revision(
        migrated, FIRST, "op.create_table('notes', sa.Column('id', sa.Integer))", downgrade="op.drop_table('notes')"
    )

    done = [
        migrated.invoke("status"),
        migrated.invoke("migrate"),
        migrated.invoke("check", "--heads"),
        migrated.alembic("current"),
        migrated.invoke("rollback", "--yes"),
        migrated.alembic("upgrade", "head"),
    ]

    assert [each.code for each in done] == [0] * 6, [each.stderr for each in done]
    assert "1 revision pending" in done[0].stdout
    assert FIRST in done[3].stdout
    places = "select tablename::text, schemaname::text from pg_tables where tablename in ('notes', 'alembic_version', 'users') order by 1"
    assert query(migrated, places) == [("alembic_version", "public"), ("notes", "public"), ("users", "public")]


@pytest.mark.parametrize("is_new", [False, True], ids=["at head", "empty database"])
def test_a_path_in_quotes_as_one_name_is_said_with_the_setting_that_helps(
    migrated: Project, role: str, is_new: bool
) -> None:
    """F74: `SET search_path = '"$user", public'` names one schema, which is nowhere; a usual slip."""
    database_of(migrated).server.execute(f"alter role {role} set search_path = '\"$user\", public'")
    if is_new:
        query(migrated, "drop schema public cascade; create schema public")

    done = migrated.invoke("migrate")
    helped = migrated.invoke("migrate", env={"STILLROOM_SEARCH_PATH": "public"})

    assert done.code == (4 if is_new else 3), done.stderr
    assert "STILLROOM_SEARCH_PATH" in done.stderr
    assert helped.code == 0, helped.stderr


def test_a_path_to_a_schema_that_is_nowhere_is_said_with_the_setting(migrated: Project) -> None:
    """F74: the revision is not at fault, and its author is not sent to look for a mistake there."""
    write_revision(migrated, FIRST, "op.create_table('notes', sa.Column('id', sa.Integer))")

    done = migrated.invoke("migrate", env={"STILLROOM_SEARCH_PATH": "nosuch"})

    assert done.code in {3, 4}
    assert "STILLROOM_SEARCH_PATH" in done.stderr
    assert "correct the revision" not in done.stderr
