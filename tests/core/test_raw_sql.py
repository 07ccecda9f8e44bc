"""Raw SQL of a revision: which forms take no row and no value along."""

from __future__ import annotations

import pytest

from stillroom.core.operations import Operation, find_droppings

KEEPING = (
    "DROP INDEX ix_part",
    'DROP INDEX s1."ix ""a"""',
    "CREATE INDEX ix_part ON public.t USING btree (id) WHERE (status = 'a'::status)",
    "CREATE UNIQUE INDEX ix ON t USING btree (lower(email))",
    "ALTER TABLE t DROP CONSTRAINT ck1",
    "ALTER TABLE t ADD CONSTRAINT ck1 CHECK (((status <> 'a'::status) OR (note IS NULL)))",
    "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (rid) REFERENCES r(id) ON DELETE CASCADE",
    'ALTER TABLE "My App"."Select" ALTER COLUMN "es""q" DROP DEFAULT',
    'ALTER TABLE t ALTER COLUMN "es""q" TYPE s1."My Enum"[] USING "es""q"::text[]::s1."My Enum"[]',
)
TAKING = (
    "DROP INDEX ix_part; DROP TABLE t",
    "ALTER TABLE t DROP CONSTRAINT ck1, DROP COLUMN note",
    "ALTER TABLE t ADD CONSTRAINT ck1 CHECK (id > 0), DROP COLUMN note",
    "ALTER TABLE t ADD CONSTRAINT ck1 CHECK (id > 0), drop note",
    "ALTER TABLE t VALIDATE CONSTRAINT ck1, DROP COLUMN note",
    "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1, ALTER COLUMN b TYPE integer USING 0",
    "DROP TABLE t",
    "UPDATE t SET status = NULL",
)


@pytest.mark.parametrize("text", KEEPING)
def test_what_make_migration_writes_around_a_type_takes_nothing_along(text: str) -> None:
    assert not Operation("execute", text=text).is_raw


@pytest.mark.parametrize("text", TAKING)
def test_anything_else_may(text: str) -> None:
    assert Operation("execute", text=text).is_raw


NUMBERED = (
    " FROM (SELECT ctid AS place, row_number() OVER () AS n FROM s.t) AS numbered WHERE s.t.ctid = numbered.place"
)


@pytest.mark.parametrize(
    ("text", "is_lost"),
    [
        ('UPDATE s.t SET "a ""b" = n::text' + NUMBERED, False),
        ('UPDATE s.t SET "a ""b" = gen_random_uuid()', False),
        ("UPDATE s.t SET other = n::text" + NUMBERED, True),
        ('UPDATE s.t SET "a ""b" = wipe()', True),
        ('UPDATE t SET "a ""b" = 1', True),
        ('UPDATE s.t SET "a ""b" = 1, other = 2', True),
        ('UPDATE s.t SET "a ""b" = 1; DELETE FROM s.t', True),
    ],
)
def test_values_in_a_column_that_has_just_come_replace_none(text: str, *, is_lost: bool) -> None:
    added = Operation("add_column", "t", "s", 'a "b')

    assert (len(find_droppings((added, Operation("execute", text=text)))) == 1) is is_lost
    assert find_droppings((Operation("execute", text=text), added))
