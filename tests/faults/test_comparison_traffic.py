"""What a comparison of several schemas sends, as the server logged it: no more for many tables than for few."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.commands.revisions import use_only
from tests.faults.own_server import OwnServer, own_server
from tests.servers import Project

MODELS = """
from sqlmodel import Field, SQLModel

for number in range({count}):
    for schema in {schemas}:
        exec(f'''
class In{{schema.title()}}{{number}}(SQLModel, table=True):
    __tablename__ = "table_{{number}}"
    __table_args__ = {{{{"schema": "{{schema}}"}}}}
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(default="x", index=True)
    parent_id: int | None = Field(default=None, foreign_key="{{schema}}.table_0.id")
''')
"""
CATALOG = re.compile(r"pg_catalog\.pg_(?:am|attribute|class|constraint|depend|index|namespace|opclass|type)\b")
MOST, MORE = 17, 10
"""Statements of a comparison of one schema (one of them looks for the version table), and of each further one."""


@pytest.fixture(scope="module")
def logging() -> Iterator[OwnServer]:
    """A server that logs every statement with its session."""
    with own_server(settings={"log_statement": "all", "log_line_prefix": "<%c> "}) as running:
        yield running


@pytest.mark.parametrize("schemas", [("one",), ("one", "two")])
@pytest.mark.parametrize("task", ["make-migration", "check"])
def test_the_number_of_statements_does_not_grow_with_the_tables_of_several_schemas(
    project: Project, logging: OwnServer, task: str, schemas: tuple[str, ...]
) -> None:
    sent = []
    for count in (1, 12):
        project.database = logging.as_server.make_database()
        project.environment |= {"DATABASE_URL": logging.url(project.database.name), "APP_ENV": "development"}
        use_only(project, MODELS.format(count=count, schemas=schemas))
        with project.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("; ".join(f"create schema {each}" for each in schemas))
        made = project.invoke("make-migration", "-m", "first")
        assert made.code == 0, made.stderr
        assert project.invoke("migrate").code == 0
        before = len(logging.log)

        done = project.invoke(task)

        assert done.code == 0, done.stderr
        statements = re.findall(r"^<(\S+)> LOG:  statement:((?:.|\n\t)*)", logging.log[before:], re.MULTILINE)
        sent.append(max(Counter(session for session, text in statements if CATALOG.search(text)).values()))
    assert sent[0] == sent[1]
    assert sent[1] <= MOST + MORE * (len(schemas) - 1)
