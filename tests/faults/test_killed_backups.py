"""Backups in which somebody is killed at random moments: no half one is left, and the next one is whole."""

from __future__ import annotations

import random
import sys
from collections import Counter

import pytest

from tests.commands.backing import make_backup, names
from tests.counting import Counted
from tests.faults.intact import remember, scratches
from tests.faults.killing import kill_in, make_several_tables, measure, spread, traced
from tests.faults.test_kills import KILLED_AT
from tests.servers import Project

READ = ("backup", "--verify", "read")


def test_a_pg_dump_killed_at_any_moment_leaves_nothing(migrated: Project, rounds: int, counted: Counted) -> None:
    """F76, K2: twenty moments, spread over the whole run of pg_dump."""
    make_several_tables(migrated)
    make_backup(migrated)
    tool = traced(migrated, "dump")
    lasts, seed = measure(tool, READ), random.randrange(10**6)
    before, ended = remember(migrated), Counter[int]()
    moments = spread(random.Random(seed), 20 if rounds <= 10 else 10 * rounds, lasts)

    for number, moment in enumerate(moments):
        older = names(migrated)
        done = kill_in(tool, READ, moment, "tool")
        ended[done.code] += 1
        assert done.code in {0, 5}, (seed, moment, done.stderr)
        if done.code:
            assert "pg_dump was ended by SIGKILL" in done.stderr
            assert names(migrated) == older, (seed, moment)
        assert "Traceback" not in done.stderr
        if number % 5 == 0:
            before.require()

    before.require(makes_another=True, restores=True)
    assert ended[5] >= len(moments) // 2, (ended, lasts)
    counted(
        f"{len(moments)} kills of pg_dump over {lasts:.2f} s (seed {seed}): exits {dict(ended)}, nothing half was left"
    )


@pytest.mark.parametrize("whom", ["child", "parent", "both"])
def test_a_backup_killed_at_any_moment_is_swept_by_the_next(
    migrated: Project, whom: str, rounds: int, counted: Counted
) -> None:
    """F76: processes of our own, from the beginning of pg_dump to the end of the proof."""
    make_several_tables(migrated, tables=2, size_mb=1)
    make_backup(migrated)
    tool = traced(migrated, "dump")
    lasts, seed = measure(tool, ("backup",)), random.randrange(10**6)
    before, ended = remember(migrated), Counter[int]()
    # Twice as long as pg_dump runs: the copy that proves it comes after it.
    moments = spread(random.Random(seed), rounds, 3 * lasts)

    for moment in moments:
        done = kill_in(tool, ("backup",), moment, whom)
        ended[done.code] += 1
        assert done.code in {0, 5 if whom == "child" else -9}, (seed, moment, done.stderr)
        assert "Traceback" not in done.stderr
        before.require()

    before.require(makes_another=True)
    counted(f"{len(moments)} kills of a backup's {whom} (seed {seed}): exits {dict(ended)}, the next one swept")


def test_a_copy_that_was_only_just_created_is_dropped_by_the_next_run(migrated: Project) -> None:
    """F76, F92, K2: killed between CREATE DATABASE and the comment that names it as ours."""
    make_backup(migrated)
    before = remember(migrated)

    killed = migrated.run(sys.executable, "-c", KILLED_AT.format(name="database created"), "backup")

    assert killed.code == 5, killed.stderr
    assert len(scratches(migrated) - before.databases) == 1
    before.require(makes_another=True)
