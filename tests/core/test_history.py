"""The revision graph."""

import pytest

from stillroom.core.history import Revision, make_history
from stillroom.errors import RefusedError, UnknownRevisionError

BRANCHED = (
    Revision("a1", (), path="a1.py"),
    Revision("b1", ("a1",), path="b1.py", labels=("billing",)),
    Revision("b2", ("a1",), path="b2.py"),
    Revision("c1", ("b1",), path="c1.py"),
)


def test_heads_are_the_revisions_that_no_other_follows() -> None:
    history = make_history(BRANCHED)

    assert history.heads == ("b2", "c1")


def test_the_order_puts_parents_first() -> None:
    history = make_history(reversed(BRANCHED))

    assert all(history.order.index(parent) < history.order.index(each.id) for each in BRANCHED for parent in each.down)


@pytest.mark.parametrize(
    ("name", "found"),
    [("c1", "c1"), ("c", "c1"), ("billing", "c1")],
    ids=["whole id", "beginning of an id", "branch label"],
)
def test_a_revision_is_found_by(name: str, found: str) -> None:
    assert make_history(BRANCHED).resolve(name) == found


@pytest.mark.parametrize("name", ["b", "zz", ""], ids=["two begin so", "none begins so", "nothing"])
def test_a_name_that_does_not_stand_for_one_revision_is_unknown(name: str) -> None:
    with pytest.raises(UnknownRevisionError) as raised:
        make_history(BRANCHED).resolve(name)

    assert "invoke history" in raised.value.hint


def test_tops_are_what_the_version_table_holds() -> None:
    history = make_history([*BRANCHED, Revision("m", ("b2", "c1"), path="m.py")])

    assert history.tops(["a1", "b1", "b2"]) == ("b1", "b2")
    assert history.tops(history.revisions) == ("m",)


def test_a_dependency_may_be_named_by_label_or_by_the_beginning_of_an_id() -> None:
    history = make_history([*BRANCHED, Revision("d", ("b2",), depends_on=("billing", "c"), path="d.py")])

    assert history.revisions["d"].depends_on == ("b1", "c1")


def test_a_missing_parent_names_the_file_that_needs_it() -> None:
    with pytest.raises(RefusedError, match=r"b1\.py follows revision gone"):
        make_history([Revision("b1", ("gone",), path="b1.py")])


def test_one_id_in_two_files_names_both() -> None:
    with pytest.raises(RefusedError, match=r"one\.py and two\.py"):
        make_history([Revision("a1", path="one.py"), Revision("a1", path="two.py")])


def test_a_ring_names_its_files() -> None:
    with pytest.raises(RefusedError, match=r"in a ring: a\.py, b\.py"):
        make_history(
            [Revision("a", ("b",), path="a.py"), Revision("b", ("a",), path="b.py"), Revision("c", path="c.py")]
        )
