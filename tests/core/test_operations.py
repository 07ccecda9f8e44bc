"""Which SQL in a revision takes nothing along."""

from __future__ import annotations

import pytest

from stillroom.core.operations import Operation, find_droppings

KEEP = [
    "ALTER TYPE mood RENAME VALUE 'a' TO 'b'",
    'ALTER TYPE shop."Size" RENAME TO "Size_before"',
    "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'x' AFTER 'y'",
    "CREATE TYPE mood AS ENUM ('a', 'b')",
    "DROP TYPE mood_before",
    "ALTER INDEX ix_a RENAME TO ix_b",
    "ALTER TABLE users RENAME CONSTRAINT a TO b",
    "ALTER TABLE users VALIDATE CONSTRAINT a",
    "ALTER TABLE users ALTER COLUMN mood SET DEFAULT 'a'::mood",
    'ALTER TABLE "order" ALTER COLUMN history TYPE state[] USING history::text[]::state[]',
    "CREATE EXTENSION IF NOT EXISTS citext",
    "CREATE SCHEMA IF NOT EXISTS billing",
    'DROP SCHEMA "My Schema"',
]
TAKE = [
    "UPDATE users SET mood = NULL",
    "DELETE FROM users",
    "DROP TYPE mood CASCADE",
    "DROP SCHEMA billing CASCADE",
    "DROP SCHEMA billing, sales",
    "DROP TYPE mood; DROP TABLE users",
    "ALTER TYPE mood RENAME TO x; DELETE FROM users",
    "ALTER TABLE users ALTER COLUMN age TYPE integer USING 0",
    "ALTER TABLE users ALTER COLUMN mood TYPE mood USING name::text::mood",
    "ALTER TABLE users DROP COLUMN x",
    "TRUNCATE users",
]


@pytest.mark.parametrize("sql", KEEP)
def test_a_statement_that_keeps_every_value_is_no_loss(sql: str) -> None:
    assert not find_droppings((Operation("execute", text=sql),))


@pytest.mark.parametrize("sql", TAKE)
def test_any_other_statement_may_be_one(sql: str) -> None:
    assert find_droppings((Operation("execute", text=sql),))
