"""A backup of a server where `public` is the superuser's, restored by an ordinary role: before PostgreSQL 15 it always was."""

from __future__ import annotations

import uuid
from urllib.parse import quote

import pytest

from tests.commands.support import add_user, answer, database_of, query
from tests.faults.test_other_majors import drop_kept, on, servers
from tests.servers import Project, Server

__all__ = ["servers"]
ONLY_PUBLIC = "note:  the owner or the grants of schema public are not as they were"


def as_owner(project: Project, owner: str) -> None:
    """Connect as a role that owns the database and may create others."""
    database = database_of(project)
    socket = quote(database.server.socket, safe="")
    database.server.execute(f'alter database "{database.name}" owner to {owner}')
    project.environment["DATABASE_URL"] = f"postgresql://{owner}@/{database.name}?host={socket}"


@pytest.mark.parametrize(
    ("old", "tools", "new"),
    [(14, 14, 16), (14, 18, 18), (16, 16, 18), (14, 14, 14)],
    ids=["14 to 16", "14 to 18, dumped by 18", "16 to 18, public is the superuser's", "14 to 14"],
)
def test_only_the_owner_of_public_differs(
    project: Project, servers: dict[int, Server], old: int, tools: int, new: int
) -> None:
    """F95, F96: the other owners and grants are set and compared; who was lent the right to create there has it no more."""
    owner, reader, maker = (f"{word}_{uuid.uuid4().hex[:8]}" for word in ("app", "reader", "maker"))
    for each in {old, new}:
        roles = "; ".join(f"create role {role}; grant {role} to {owner}" for role in (reader, maker))
        servers[each].execute(f"create role {owner} login createdb; {roles}")
    with on(project, servers[old], tools=tools):
        as_owner(project, owner)
        query(project, f"alter schema public owner to postgres; grant all on schema public to {owner}, {maker}")
        assert project.invoke("migrate").code == 0
        add_user(project)
        for table, role in (("tasks", reader), ("messages", maker)):
            query(project, f"alter table {table} owner to {role}; grant select on {table}, {table}_id_seq to {owner}")
        query(project, f"grant select on users to {reader}")
        made = project.invoke("backup", "--json", "--verify", "restore")
        assert made.code == 0, made.stderr
        backup = answer(made.stdout)["result"]["backup"]
        drop_kept(project)
    with on(project, servers[new], tools=max(tools, new)):
        as_owner(project, owner)

        done = project.invoke("restore", backup["name"], "--allow", "swap")

        assert done.code == 0, done.stderr
        assert "once more, without owners" not in made.stderr + done.stderr
        assert done.stdout.count("note:") == 1
        assert ONLY_PUBLIC in done.stdout
        owners = dict(query(project, "select tablename, tableowner from pg_tables where schemaname = 'public'"))
        assert (owners["users"], owners["tasks"], owners["messages"]) == (owner, reader, maker)
        assert query(project, "select has_table_privilege(%s, 'users', 'select')", reader) == [(True,)]
        may_create = "select has_schema_privilege(%s, 'public', 'create')"
        assert query(project, may_create, maker) == [(True,)]
        if old >= 15:
            assert query(project, may_create, reader) == [(False,)]
        drop_kept(project)
