"""What a rehearsal sends to the database that it copies, as the server logged it."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from tests.commands.backing import make_backup
from tests.commands.support import write_revision
from tests.faults.own_server import own_server
from tests.servers import Project

READS = {
    *("begin", "close", "commit", "declare", "deallocate", "execute", "fetch", "prepare", "reset", "rollback", "savepoint"),
    *("select", "set", "show", "start", "table", "with"),
}  # fmt: skip


@pytest.mark.parametrize("flags", [[], ["--without-data"], ["--from"]], ids=["fresh", "without data", "backup"])
def test_a_rehearsal_sends_nothing_but_reads_to_a_database_that_is_busy(project: Project, flags: list[str]) -> None:
    """F106: another client is in the middle of a transaction there, and the rehearsal neither waits for it nor writes."""
    settings = {"log_statement": "all", "log_line_prefix": "<%d> ", "log_min_error_statement": "panic"}
    with own_server(settings=settings) as server:
        database = server.as_server.make_database()
        project.database = database
        project.environment["DATABASE_URL"] = server.url(database.name)
        assert project.invoke("migrate").code == 0
        name = make_backup(project)
        write_revision(
            project,
            "aaaa00000001",
            "op.execute('alter table users add column nickname text')",
            downgrade="op.execute('alter table users drop column nickname')",
        )
        with closing(server.connect(database.name)) as busy, busy.cursor() as cursor:
            cursor.execute("begin")
            cursor.execute("insert into users (email, display_name) values ('a@example.com', 'A')")
            before = len(server.log)

            done = project.invoke("rehearse", *flags, *([name] if "--from" in flags else []))

            sent = re.findall(rf"<{database.name}> LOG:  statement:\s+(.*)", server.log[before:])
        columns = server.query("select 1 from pg_attribute where attname = 'nickname'", database=database.name)

    assert done.code == 0, done.stderr
    assert sent
    assert [each for each in sent if not is_read(each)] == []
    assert columns == []


def is_read(statement: str) -> bool:
    """Tell a statement that changes nothing; COPY to the client and the weakest lock are pg_dump's."""
    words = statement.lower().split()
    if words[0] == "copy":
        return "to stdout" in statement.lower()
    if words[0] == "lock":
        return "in access share mode" in statement.lower()
    return words[0].rstrip(";") in READS
