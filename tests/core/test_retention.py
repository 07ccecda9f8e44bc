"""Retention: what stays whatever the numbers are, and that asking for more never deletes more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillroom.core.retention import Candidate, Verdict, plan_retention

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        name=st.uuids().map(str),
        database=st.sampled_from(["shop", "blog"]),
        sequence=st.integers(1, 12),
        created_at=st.integers(-30, 60).map(lambda days: NOW - timedelta(days=days)),
        is_verified=st.sampled_from([True, True, True, False]),
        problem=st.sampled_from(["", "", "", "damaged: cut"]),
        is_pinned=st.sampled_from([False, False, False, True]),
        is_in_use=st.sampled_from([False, False, False, True]),
        is_snapshot=st.sampled_from([False, False, False, False, True]),
    ),
    max_size=14,
    unique_by=lambda each: each.name,
)
KEEP, DAYS = st.integers(1, 6), st.integers(0, 40)


def plan(found: list[Candidate], keep: int, days: int) -> dict[str, Verdict]:
    verdicts = plan_retention(found, keep=keep, keep_days=days, now=NOW)
    return {each.name: each for each in verdicts}


def gone(found: list[Candidate], keep: int, days: int) -> set[str]:
    return {name for name, each in plan(found, keep, days).items() if each.goes}


@given(CANDIDATES, KEEP, DAYS)
def test_what_must_stay_stays(found: list[Candidate], keep: int, days: int) -> None:
    """F86: the newest whole verified one, pinned, young, used, damaged and unproven ones, and N of each database."""
    verdicts = plan(found, keep, days)
    young_after = NOW - timedelta(days=days)

    assert set(verdicts) == {each.name for each in found}
    for each in found:
        is_beside = each.problem or each.is_pinned or not each.is_verified or each.is_snapshot
        if is_beside or each.is_in_use or each.created_at > young_after:
            assert not verdicts[each.name].goes
            assert verdicts[each.name].why
        if each.problem:
            assert verdicts[each.name].why == each.problem
    for database in ("shop", "blog"):
        good = [
            each
            for each in found
            if each.database == database and not each.problem and each.is_verified and not each.is_snapshot
        ]
        ordinary = sorted((each for each in good if not each.is_pinned), key=lambda each: each.sequence)
        counting = [each for each in ordinary if verdicts[each.name].counts]
        assert len(counting) == min(keep, len(ordinary))
        if good:
            top = max(each.sequence for each in good)
            assert any(not verdicts[each.name].goes for each in good if each.sequence == top)
        for each in ordinary:
            if verdicts[each.name].goes:
                assert all(kept.sequence >= each.sequence for kept in counting)


@given(CANDIDATES, KEEP, DAYS, st.integers(0, 3), st.integers(0, 20))
def test_keeping_more_never_deletes_more(found: list[Candidate], keep: int, days: int, more: int, longer: int) -> None:
    """F86."""
    assert gone(found, keep + more, days + longer) <= gone(found, keep, days)


@given(CANDIDATES.filter(bool), KEEP, DAYS, st.data())
def test_a_pin_a_reader_or_damage_never_deletes_another(
    found: list[Candidate], keep: int, days: int, data: st.DataObject
) -> None:
    """F86: what leaves the count makes room for an older one."""
    index = data.draw(st.integers(0, len(found) - 1))
    change = data.draw(st.sampled_from([{"is_pinned": True}, {"is_in_use": True}, {"problem": "damaged: cut"}]))
    changed = [*found]
    changed[index] = replace(found[index], **change)

    assert gone(changed, keep, days) <= gone(found, keep, days)


@given(CANDIDATES.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))), KEEP, DAYS)
def test_the_order_they_are_found_in_decides_nothing(
    pair: tuple[list[Candidate], list[Candidate]], keep: int, days: int
) -> None:
    found, shuffled = pair

    assert gone(shuffled, keep, days) == gone(found, keep, days)


def old(sequence: int, **changes: object) -> Candidate:
    base = Candidate(f"b{sequence}", "shop", sequence, NOW - timedelta(days=30))
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "goes"),
    [
        pytest.param([], set(), id="none"),
        pytest.param([old(1)], set(), id="the only one"),
        pytest.param([old(1), old(2), old(3)], {"b1"}, id="two of three stay"),
        pytest.param([old(1), old(2), old(3, problem="damaged")], set(), id="a damaged one does not count"),
        pytest.param([old(1), old(2), old(3), old(4, is_pinned=True)], {"b1"}, id="a pinned one does not count"),
        pytest.param([old(1), old(2), old(3, is_snapshot=True)], set(), id="a snapshot does not count"),
        pytest.param(
            [old(3, created_at=NOW - timedelta(days=99)), old(2), old(1)], {"b1"}, id="the counter and not the clock"
        ),
        pytest.param(
            [old(1, created_at=NOW + timedelta(days=99)), old(2), old(3)], set(), id="the future counts as young"
        ),
        pytest.param([old(1, database="blog"), old(2), old(3)], set(), id="each database for itself"),
    ],
)
def test_two_stay_and_seven_days(found: list[Candidate], goes: set[str]) -> None:
    """F86."""
    assert gone(found, 2, 7) == goes


def test_one_always_stays() -> None:
    """F86: no number lets the last one go."""
    assert gone([old(1)], 0, 0) == set()
