"""Rows and parameters in errors: hidden, unless they are asked for."""

from __future__ import annotations

import pytest

from tests.commands.support import HEAD, answer, current, database_of, query, write_revision
from tests.servers import Project

FIRST = "aaaa00000001"
MARKER = "4111111111111111"
BULK = f"""
cards = sa.table('card', sa.column('number', sa.Text))
op.bulk_insert(cards, [{{'number': '{MARKER}'}}, {{'number': '{MARKER}'}}])
"""
# The revision's body, what is said of it, where the marker stands when it is asked for.
ERRORS = {
    "bulk insert": (
        BULK,
        'duplicate key value violates unique constraint "card_pkey" (23505)',
        f"Key (number)=({MARKER}) already exists.",
    ),
    "data exception": (
        f"op.get_bind().execute(sa.text('select cast(:number as integer)'), {{'number': 'no {MARKER}'}})",
        'invalid input syntax for type integer: "…" (22P02)',
        f'invalid input syntax for type integer: "no {MARKER}"',
    ),
    "row in the statement": (
        f"op.execute(\"alter table card add note text; insert into card values (null, '{MARKER}')\")",
        'null value in column "number" of relation "card" violates not-null constraint (23502)',
        f"Failing row contains (null, {MARKER}).",
    ),
}


@pytest.mark.parametrize(("body", "said", "shown"), ERRORS.values(), ids=ERRORS)
def test_rows_and_parameters_are_hidden_unless_they_are_asked_for(
    migrated: Project, body: str, said: str, shown: str
) -> None:
    """F67, S04: from the task and from plain alembic; and all of it with `--show-data`."""
    query(migrated, "create table card (number text primary key)")
    write_revision(migrated, FIRST, body)

    hidden = [migrated.invoke("migrate", "--json"), migrated.alembic("upgrade", "head")]
    asked = migrated.invoke("migrate", "--show-data", "--json")

    assert [each.code for each in (*hidden, asked)] == [4, 255, 4]
    assert said in answer(hidden[0].stdout)["error"]["message"]
    assert MARKER not in "".join(each.stdout + each.stderr for each in hidden)
    message = answer(asked.stdout)["error"]["message"]
    assert shown in message
    assert MARKER in message
    assert current(migrated) == [HEAD]


def test_what_a_revision_prints_logs_and_warns_is_masked(migrated: Project) -> None:
    """S03, S04: it knows the URL, and says it in every way Python has."""
    url = database_of(migrated).url.replace("postgres@", "postgres:s3cret-of-the-team@")
    write_revision(
        migrated,
        "aaaa00000001",
        """
        import logging, os, sys, threading, warnings
        url = os.environ['DATABASE_URL']
        print(url)
        sys.stderr.write(url + '\\n')
        logging.error('at %s', url)
        warnings.warn(url)
        """,
    )

    done = migrated.invoke("migrate", env={"DATABASE_URL": url})

    assert done.code == 0, done.stderr
    assert done.stderr.count("postgres:***@") >= 4
    assert "s3cret-of-the-team" not in done.stderr + done.stdout
