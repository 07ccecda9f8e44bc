"""Random changes of random models: generated, applied on rows, found complete, undone to the catalog of before, applied again."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from stillroom.core.generation import Answers
from tests.counting import Counted
from tests.edges.completing.evolving import Evolution, begin, catalog, generate, models, opened
from tests.edges.completing.random_models import Change, changes
from tests.servers import Database, Server


def answers_of(change: Change) -> Answers:
    """Answer all that may be asked."""
    fill = {
        f"{table}.{name}": change.after.fill(column)
        for table, columns in change.after.tables.items()
        for name, column in columns.items()
        if not column.is_nullable
    }
    return Answers(change.rename, fill, change.replace, may_lose=True)


def run(database: Database, change: Change) -> bool:
    """Take one change all the way; False when there was nothing to change in the end."""
    source = change.after.source()
    begin(database, Evolution(change.before.source(), source, change.before.rows()))
    start = catalog(database)
    with opened(database) as connection:
        revision = generate(connection, models(source), answers_of(change))
        assert not revision.findings.questions, revision.findings.questions
        revision.run(connection, "upgrade")
        again = generate(connection, models(source))
        assert again.is_empty, f"found again: {again.findings.questions}\n{again.upgrade}\nafter:\n{revision.upgrade}"
        after = catalog(database)
        revision.run(connection, "downgrade")
        back = catalog(database)
        assert back == start, f"{_difference(start, back)}\n{revision.downgrade}"
        revision.run(connection, "upgrade")
    assert catalog(database) == after
    return not revision.is_empty


def _difference(one: dict[object, object], other: dict[object, object]) -> str:
    keys = [key for key in {*one, *other} if one.get(key) != other.get(key)]
    return "\n".join(f"{key}: {one.get(key)}\n -> {other.get(key)}" for key in keys[:5])


@pytest.fixture(scope="session")
def examples(request: pytest.FixtureRequest) -> int:
    """How many to try."""
    return 2500 if request.config.getoption("--fault-rounds") == "long" else 60


def test_any_change_goes_up_down_and_up_again(server: Server, examples: int, counted: Counted) -> None:
    seen: Counter[str] = Counter()
    began = time.monotonic()

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=examples < 100,  # CI tries the same ones each time, the long round others
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(changes())
    def try_one(change: Change) -> None:
        database = server.make_database()
        try:
            has_changed = run(database, change)
        finally:
            database.drop()
        seen["changed" if has_changed else "the same in the end"] += 1
        seen.update({each.split()[0]: 1 for each in change.done})

    try_one()
    counted(
        f"{seen['changed']} random changes of models up, down and up again, 0 failures: {dict(seen)}, {time.monotonic() - began:.0f} s"
    )
