"""What a rehearsal's numbers are put together to."""

from __future__ import annotations

import pytest

from stillroom.core.rehearsal import (
    HeldLock,
    Rehearsal,
    RehearsedStep,
    SentStatement,
    TouchedRows,
    WayBack,
    add_rows,
    mode_of,
    slowest,
    strongest_of_each,
)

ROW, SHARE, ALL = "ROW EXCLUSIVE", "SHARE", "ACCESS EXCLUSIVE"


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("AccessExclusiveLock", ALL),
        ("RowExclusiveLock", ROW),
        ("ShareLock", SHARE),
        ("ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"),
    ],
)
def test_a_mode_is_written_as_sql_does(name: str, mode: str) -> None:
    assert mode_of(name) == mode


def test_of_each_table_the_strongest_lock_is_kept_however_short() -> None:
    locks = [HeldLock("a", ROW, 9.0), HeldLock("a", ALL, 1.0), HeldLock("a", ALL, 2.0), HeldLock("b", SHARE, 3.0)]

    assert strongest_of_each(locks) == (HeldLock("b", SHARE, 3.0), HeldLock("a", ALL, 2.0))


def test_the_longest_lock_is_one_that_keeps_traffic_out() -> None:
    step = RehearsedStep("r", "", 9.0, locks=(HeldLock("a", ROW, 9.0), HeldLock("b", ALL, 1.0)))
    rehearsal = Rehearsal("a copy", False, 0, False, (step,), WayBack("same"), (), (), (), 9.0)

    assert rehearsal.longest_lock == HeldLock("b", ALL, 1.0)
    assert (rehearsal.predicted_s("r"), rehearsal.predicted_s("other")) == (9.0, None)


def test_rows_are_added_by_table_most_first() -> None:
    rows = [TouchedRows("a", 1, 0, 0), TouchedRows("b", 0, 5, 0), TouchedRows("a", 0, 1, 1)]

    assert add_rows(rows) == (TouchedRows("b", 0, 5, 0), TouchedRows("a", 1, 1, 1))


def test_only_the_slowest_statements_are_kept() -> None:
    sent = [SentStatement(str(number), float(number), None) for number in range(50)]

    assert [each.text for each in slowest(sent)] == [str(number) for number in range(49, 29, -1)]
