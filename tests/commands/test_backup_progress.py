"""How far a backup is: one line of the terminal while somebody looks, and nothing anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pexpect
import pytest

from stillroom.commands._watching import Reading, watching
from stillroom.edges.child_body import Voice
from tests.commands.backing import names, tools_instead
from tests.commands.support import answer, database_of, query
from tests.servers import Project

# pg_dump is stopped in the middle of its first table, which is too large for what lies between it and the server.
HELD_UP = r"""
"$real" "$@" & pid=$!
for each in "$@"; do case "$each" in --file=*) folder="${each#--file=}";; esac; done
until ls "$folder"/[0-9]*.dat* > /dev/null 2>&1; do sleep 0.02; done
kill -STOP $pid; sleep 2; kill -CONT $pid
wait $pid; exit $?
"""
BULKY = "create table a_bulk as select n, md5(n::text) || md5((-n)::text) || md5((n * 7)::text) as body from generate_series(1, 150000) n"
SLOW = """
create function slow(n int) returns int language plpgsql immutable as $$ begin perform pg_sleep(0.01); return n; end $$;
create table b_slow (n int, m int generated always as (slow(n)) stored); insert into b_slow select generate_series(1, 150)
"""


@pytest.fixture
def bulky(migrated: Project) -> Project:
    """A project whose pg_dump takes two seconds for the table a_bulk."""
    query(migrated, BULKY)
    tools_instead(migrated, dump=HELD_UP)
    return migrated


def start(project: Project, *args: str, env: dict[str, str] | None = None) -> pexpect.spawn[str]:
    """Start a task in a terminal."""
    return pexpect.spawn(
        sys.executable,
        ["-m", "invoke", *args],
        cwd=str(project.path),
        env=project.full_environment(env),  # type: ignore[arg-type]  (a mapping of the system's, says the stub)
        encoding="utf-8",
        timeout=60,
        dimensions=(24, 100),
    )


def see(project: Project, *args: str, env: dict[str, str] | None = None) -> tuple[str, int]:
    """Run a task in a terminal; return all that it wrote there, and its exit code."""
    child = start(project, *args, env=env)
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before), int(child.exitstatus or 0)


def left(text: str) -> list[str]:
    """What stands in the terminal at the end: after a carriage return the line is written over."""
    lines = []
    for line in text.split("\r\n"):
        shown = ""
        for each in line.split("\r"):
            shown = each + shown[len(each) :]
        lines.append(shown.rstrip())
    return lines


def test_a_terminal_shows_which_table_is_dumped_and_how_much_of_it(bulky: Project) -> None:
    seen, code = see(bulky, "backup", "--verify", "read")

    assert code == 0, seen
    assert "dumping  public.a_bulk  " in seen
    assert " of about " in seen
    assert not [line for line in left(seen) if "dumping" in line or "reading the dump" in line]
    assert len(names(bulky)) == 1


def test_a_terminal_shows_which_table_is_restored_for_the_proof(migrated: Project) -> None:
    query(migrated, SLOW)

    seen, code = see(migrated, "backup", "--verify", "restore")

    assert code == 0, seen
    assert "restoring  public.b_slow  " in seen
    assert not [line for line in left(seen) if "b_slow" in line]


def test_a_restore_shows_it_as_well(migrated: Project) -> None:
    query(migrated, SLOW)
    made = migrated.invoke("backup", "--verify", "read")
    assert made.code == 0, made.stderr

    seen, code = see(migrated, "restore", "--latest", "--into", f"{database_of(migrated).name}_again")
    database_of(migrated).server.execute(f'drop database "{database_of(migrated).name}_again"')

    assert code == 0, seen
    assert "restoring  public.b_slow  " in seen


def test_an_interruption_takes_the_line_away(bulky: Project) -> None:
    child = start(bulky, "backup", "--verify", "read")
    child.expect("dumping  public.a_bulk  .* MB")
    before = str(child.before) + str(child.after)

    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 130
    lines = left(before + str(child.before))
    assert lines[-3:] == [
        "error: interrupted; no backup was made",
        "hint:  `invoke backup` starts anew; older backups are untouched",
        "",
    ]
    assert not any("^C" in line or "dumping" in line for line in lines)
    assert names(bulky) == []


@pytest.mark.parametrize("env", [{"CI": "true"}, {"NO_COLOR": "1"}], ids=["CI", "NO_COLOR"])
def test_nothing_is_rewritten_where_that_is_not_wanted(bulky: Project, env: dict[str, str]) -> None:
    seen, code = see(bulky, "backup", "--verify", "read", env=env)

    assert code == 0, seen
    assert "dumping" not in seen


def test_a_pipe_gets_no_progress(bulky: Project) -> None:
    done = bulky.invoke("backup", "--verify", "read")

    assert done.code == 0, done.stderr
    assert "dumping" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr


def test_json_in_a_terminal_is_the_object_alone(bulky: Project) -> None:
    seen, code = see(bulky, "backup", "--verify", "read", "--json")

    assert code == 0, seen
    assert "dumping" not in seen
    assert answer(seen.splitlines()[-1])["ok"]


def test_a_role_without_a_connection_to_spare_sees_the_bytes_and_gets_its_backup(bulky: Project) -> None:
    """F29: one connection holds the tables, the other one is pg_dump's."""
    database = database_of(bulky)
    role = f"reader_{database.name}"
    query(bulky, f"create role {role} login connection limit 2; grant pg_read_all_data to {role}")
    bulky.environment["DATABASE_URL"] = database.url.replace("postgres@", f"{role}@")

    seen, code = see(bulky, "backup", "--verify", "read")
    query(bulky, f"drop role {role}")

    assert code == 0, seen
    assert "dumping  " in seen
    assert "a_bulk" not in seen
    assert "read back in full" in seen


def test_the_table_that_is_compared_is_shown_until_the_block_ends() -> None:
    said: list[tuple[str, object]] = []
    reading = Reading("comparing", 12)

    with watching(Voice(lambda kind, value: said.append((kind, value)), is_watched=True), reading.lines):
        reading("public.messages")
        time.sleep(0.8)
    count = len(said)
    time.sleep(0.7)

    assert said[0] == ("progress", "comparing public.messages (1 of 12 tables)")
    assert said[-1] == ("progress", "")
    assert len(said) == count


def test_a_failure_of_the_progress_is_none_of_the_work() -> None:
    said: list[tuple[str, object]] = []

    def lines() -> Iterator[str]:
        raise OSError

    with watching(Voice(lambda kind, value: said.append((kind, value)), is_watched=True), lines):  # type: ignore[arg-type]
        time.sleep(0.7)

    assert said == [("progress", "")]
