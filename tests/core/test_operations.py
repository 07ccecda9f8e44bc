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
    "DROP DOMAIN email_d",
    "ALTER INDEX ix_a RENAME TO ix_b",
    "ALTER TABLE users RENAME CONSTRAINT a TO b",
    "ALTER TABLE users VALIDATE CONSTRAINT a",
    "ALTER TABLE users ALTER COLUMN mood SET DEFAULT 'a'::mood",
    'ALTER TABLE "order" ALTER COLUMN history TYPE state[] USING history::text[]::state[]',
    "CREATE EXTENSION IF NOT EXISTS citext",
    "CREATE SCHEMA IF NOT EXISTS billing",
    'DROP SCHEMA "My Schema"',
    'ALTER SEQUENCE sales."Order_id_seq" OWNED BY NONE',
    'ALTER SEQUENCE "Order_id_seq" OWNED BY sales."Order".id',
    'ALTER SEQUENCE "Order_id_seq" RENAME TO "Order_id_seq_before"',
    "ALTER SEQUENCE users_id_seq AS bigint",
    'CREATE SEQUENCE "Order_id_seq_before" AS integer',
    'SELECT setval(\'"Order_id_seq_before"\', last_value, is_called) FROM "Order_id_seq"',
    "SELECT setval('a', before.last_value, true) FROM b AS before, a AS now WHERE before.is_called AND before.last_value >= now.last_value",
    "DROP SEQUENCE users_id_seq_before",
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
    "SELECT setval('a', 1, true) FROM (DELETE FROM users RETURNING 1) AS x",
    "SELECT setval('a', last_value, true), erase() FROM a",
    "DROP SEQUENCE a CASCADE",
    "DROP SEQUENCE a, b",
    "ALTER SEQUENCE a RESTART",
]


@pytest.mark.parametrize("sql", KEEP)
def test_a_statement_that_keeps_every_value_is_no_loss(sql: str) -> None:
    assert not find_droppings((Operation("execute", text=sql),))


@pytest.mark.parametrize("sql", TAKE)
def test_any_other_statement_may_be_one(sql: str) -> None:
    assert find_droppings((Operation("execute", text=sql),))
