"""Impatient people and broken pipes: signals in a row, a killed pg_dump, a stdout that nobody reads."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from tests.commands.backing import names, tools_instead
from tests.commands.support import HEAD, current, finish, has_table, launch, query, until, write_revision
from tests.servers import Project

FIRST = "aaaa00000001"
PAUSE_S = 0.05
DEAF = """
import time
op.execute('create table half ()')
while True:
    try:
        time.sleep(60)
    except BaseException:
        pass
"""


@pytest.mark.parametrize(
    "numbers",
    [[signal.SIGINT, signal.SIGTERM, signal.SIGHUP], [signal.SIGINT] * 12],
    ids=["one of each", "the key held down"],
)
def test_signals_in_a_row_leave_at_once_and_never_a_traceback(migrated: Project, numbers: list[int]) -> None:
    """F52: a step that takes no notice of the first; nothing of it stays, and no process."""
    write_revision(migrated, FIRST, DEAF)
    process = launch(migrated, "migrate")
    until(lambda: query(migrated, "select 1 from pg_stat_activity where query like 'create table half%%'"))

    started = time.monotonic()
    for number in numbers:
        process.send_signal(number)
        time.sleep(PAUSE_S)
    code, stdout, stderr = finish(process)

    assert (code, stdout) == (130, ""), stderr
    assert time.monotonic() - started < 4
    assert "Traceback" not in stderr
    assert "interrupted" in stderr
    until(lambda: not query(migrated, "select 1 from pg_stat_activity where application_name = 'stillroom migrate'"))
    assert (current(migrated), has_table(migrated, "half")) == ([HEAD], False)


def test_a_killed_pg_dump_stops_before_the_first_revision(migrated: Project) -> None:
    """F55: as by a lack of memory; exit 5, no part of a backup, no migration."""
    write_revision(migrated, FIRST, "op.execute('create table half ()')")
    tools_instead(migrated, dump='"$real" "$@"; kill -9 $$')

    done = migrated.invoke("backup-then-migrate")

    assert done.code == 5
    assert "pg_dump was ended by SIGKILL" in done.stderr
    assert names(migrated) == []
    assert (current(migrated), has_table(migrated, "half")) == ([HEAD], False)


STREAMS = {
    "into head": '"$0" -m invoke migrate | head -n 1',
    "full": '"$0" -m invoke migrate > /dev/full',
    "both closed": '"$0" -m invoke migrate >&- 2>&-',
}


@pytest.mark.parametrize("script", STREAMS.values(), ids=STREAMS)
def test_the_exit_code_is_the_databases_and_not_the_streams(migrated: Project, script: str) -> None:
    """F56, K15: the step that fails is exit 4 and rolled back; corrected, it is applied and exit 0."""
    write_revision(migrated, FIRST, "op.execute('create table half ()')\nop.execute('select 1 / 0')")

    failed = migrated.run("bash", "-o", "pipefail", "-c", script, sys.executable)
    between = current(migrated)
    write_revision(migrated, FIRST, "op.execute('create table half ()')")
    done = migrated.run("bash", "-o", "pipefail", "-c", script, sys.executable)

    assert (failed.code, between) == (4, [HEAD]), failed.stderr
    assert (done.code, current(migrated)) == (0, [FIRST]), done.stderr
    assert "Traceback" not in failed.stderr + done.stderr


ONLY_LOOK = ["status", "history", "heads", "check", "config", "backups", "doctor", "server.status"]


@pytest.mark.parametrize("task", ONLY_LOOK)
def test_an_answer_that_a_full_disk_took_is_a_failure_of_a_task_that_only_looks(migrated: Project, task: str) -> None:
    """F56, K15: nothing else was done; a reader that left early has seen enough."""
    full = migrated.run("bash", "-c", f'"$0" -m invoke {task} --json > /dev/full', sys.executable)
    left = migrated.run("bash", "-o", "pipefail", "-c", f'"$0" -m invoke {task} --json | true', sys.executable)

    assert full.code == 5, full.stderr
    assert "the result could not be written to stdout: No space left on device" in full.stderr
    assert left.code == 0, left.stderr
