"""What the tasks that only look send, as the server logged it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.commands.support import write_revision
from tests.faults.own_server import OwnServer, own_server
from tests.servers import Project


@pytest.fixture(scope="module")
def logging() -> Iterator[OwnServer]:
    """A server that logs every statement with its session."""
    settings = {"log_statement": "all", "log_line_prefix": "<%c %a> ", "log_min_error_statement": "panic"}
    with own_server(settings=settings) as running:
        yield running


@pytest.mark.parametrize("task", ["migrate --plan", "rollback --plan", "status", "doctor"])
def test_what_only_looks_reads_in_transactions_that_the_server_holds_read_only(
    project: Project, logging: OwnServer, task: str
) -> None:
    """No session opens a transaction that may write; `migrate --plan` sends nothing before BEGIN READ ONLY."""
    project.database = logging.as_server.make_database()
    project.environment["DATABASE_URL"] = logging.url(project.database.name)
    assert project.invoke("migrate").code == 0
    write_revision(project, "aaaa00000001", "op.execute('create table first ()')")
    before = len(logging.log)

    done = project.invoke(*task.split())

    assert done.code == 0, done.stderr
    sessions = defaultdict(list)
    for session, word in re.findall(
        r"<(\S+) stillroom \S+> LOG:  statement:\s+(\w+(?: read only)?)", logging.log[before:]
    ):
        sessions[session].append(word)
    assert sessions
    for words in sessions.values():
        assert set(words) <= {"begin read only", "savepoint", "select", "with", "rollback", "commit"}
        assert words[0] == "begin read only" or task != "migrate --plan"
