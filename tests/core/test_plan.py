"""Which revisions run."""

import pytest

from stillroom.core.history import History, Revision, make_history
from stillroom.core.plan import describe_place, plan_downgrade, plan_upgrade
from stillroom.errors import RefusedError, UnknownRevisionError

LINE = make_history([Revision("a1", path="a"), Revision("b1", ("a1",), path="b"), Revision("c1", ("b1",), path="c")])
FORK = make_history([Revision("a1", path="a"), Revision("b1", ("a1",), path="b"), Revision("b2", ("a1",), path="c")])
MERGED = make_history([*FORK.revisions.values(), Revision("m1", ("b1", "b2"), path="m")])


@pytest.mark.parametrize(
    ("history", "current", "target", "steps", "ends_at"),
    [
        (LINE, (), "heads", ("a1", "b1", "c1"), ("c1",)),
        (LINE, ("a1",), "head", ("b1", "c1"), ("c1",)),
        (LINE, ("a1",), "b1", ("b1",), ("b1",)),
        (LINE, ("c1",), "heads", (), ("c1",)),
        (FORK, ("b1",), "heads", ("b2",), ("b1", "b2")),
        (MERGED, ("b1",), "head", ("b2", "m1"), ("m1",)),
        (make_history([]), (), "heads", (), ()),
    ],
    ids=[
        "from empty",
        "from the middle",
        "to the middle",
        "at head",
        "other branch",
        "through a merge",
        "no revisions",
    ],
)
def test_upgrade_plans(
    history: History, current: tuple[str, ...], target: str, steps: tuple[str, ...], ends_at: tuple[str, ...]
) -> None:
    plan = plan_upgrade(history, current, target)

    assert (plan.steps, plan.ends_at) == (steps, ends_at)


def test_upgrading_to_what_lies_behind_is_refused_with_the_way_back() -> None:
    with pytest.raises(RefusedError) as raised:
        plan_upgrade(LINE, ("c1",), "a1")

    assert "invoke rollback --target a1" in raised.value.hint


def test_head_is_refused_where_there_are_two() -> None:
    with pytest.raises(RefusedError, match="2 heads: b1, b2"):
        plan_upgrade(FORK, (), "head")


def test_a_current_revision_without_a_file_is_refused() -> None:
    with pytest.raises(UnknownRevisionError, match="zz"):
        plan_upgrade(LINE, ("zz",))


@pytest.mark.parametrize(
    ("history", "current", "steps", "target", "undone", "ends_at"),
    [
        (LINE, ("c1",), 1, "", ("c1",), ("b1",)),
        (LINE, ("c1",), 3, "", ("c1", "b1", "a1"), ()),
        (LINE, ("c1",), 1, "a1", ("c1", "b1"), ("a1",)),
        (LINE, ("c1",), 1, "base", ("c1", "b1", "a1"), ()),
        (LINE, ("b1",), 1, "b1", (), ("b1",)),
        (MERGED, ("m1",), 1, "", ("m1",), ("b1", "b2")),
        (FORK, ("b1", "b2"), 1, "a1", ("b2", "b1"), ("a1",)),
    ],
    ids=["one", "all by steps", "to a revision", "to base", "already there", "a merge", "two heads with a target"],
)
def test_downgrade_plans(
    history: History,
    current: tuple[str, ...],
    steps: int,
    target: str,
    undone: tuple[str, ...],
    ends_at: tuple[str, ...],
) -> None:
    plan = plan_downgrade(history, current, steps=steps, target=target)

    assert (plan.steps, plan.ends_at) == (undone, ends_at)


@pytest.mark.parametrize(
    ("history", "current", "steps", "target", "words"),
    [
        (LINE, (), 1, "", "nothing is applied"),
        (FORK, ("b1", "b2"), 1, "", "several heads: b1, b2"),
        (LINE, ("c1",), 4, "", "only 3 of 4"),
        (MERGED, ("m1",), 2, "", "m1 is a merge"),
        (LINE, ("a1",), 1, "c1", "c1 is not applied"),
    ],
    ids=["empty", "two heads", "more steps than revisions", "steps across a merge", "target ahead"],
)
def test_an_unclear_way_back_is_refused(
    history: History, current: tuple[str, ...], steps: int, target: str, words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        plan_downgrade(history, current, steps=steps, target=target)


@pytest.mark.parametrize(
    ("current", "place"),
    [((), "empty"), (("a1",), "behind"), (("c1",), "head"), (("zz",), "foreign")],
    ids=str,
)
def test_the_place_of_a_database_has_one_word(current: tuple[str, ...], place: str) -> None:
    assert describe_place(LINE, current) == place
