"""How much a comparison asks the server: a number that does not grow with the tables."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from tests.edges.completing.evolving import Evolution, begin, execute, generate, models, opened
from tests.edges.completing.test_kinds import EVERY_KIND
from tests.servers import Database

MANY = """
for number in range({count}):
    exec(f'''
class Many{{number}}(SQLModel, table=True):
    __tablename__ = "many_{{number}}"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(default="x", index=True, sa_column_kwargs={{{{"server_default": "x"}}}})
    parent_id: int | None = Field(default=None, foreign_key="parents.id")
''')
"""
MOST = 16


@pytest.mark.filterwarnings("ignore:Did not recognize type")
@pytest.mark.parametrize("count", [1, 120])
def test_the_number_of_statements_does_not_grow_with_the_tables(either: Database, count: int) -> None:
    source = EVERY_KIND.replace("    pa: int", "    tree: Any = Field(sa_type=pg.TSVECTOR)\n    pa: int") + MANY.format(
        count=count
    )
    begin(either, Evolution(source, source))
    execute(either, "create extension hstore; alter table kinds alter tree type hstore using null")
    seen: list[str] = []

    with opened(either) as connection:

        @event.listens_for(connection, "before_cursor_execute")
        def note(*args: Any) -> None:
            seen.append(args[2])

        found = generate(connection, models(source))

    assert not found.is_empty or found.findings.questions
    assert len(seen) <= MOST, seen
