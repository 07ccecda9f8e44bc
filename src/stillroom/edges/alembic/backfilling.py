"""Rows changed in batches, outside of the step's transaction: nobody waits long, and a kill loses one batch at most.

Source: PostgreSQL documentation, "Explicit Locking" (a row stays locked until its transaction ends); the batches go by key
(keyset), because OFFSET would read what is done again and again.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from stillroom.core.journal import DONE, STARTED, Sent, digest_of
from stillroom.edges.alembic.honest import attempt_under_way
from stillroom.edges.alembic.retrying import retried
from stillroom.edges.seams import seam

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection

    from stillroom.edges.alembic.attempt import Attempt

SAY_EVERY_S = 5.0
_KEY = """
select pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull and exists (
  select from pg_catalog.pg_index i where i.indrelid = a.attrelid and i.indisunique and i.indisvalid and i.indpred is null
    and i.indnkeyatts = 1::smallint and i.indkey[0] = a.attnum)
from pg_catalog.pg_attribute a
where a.attrelid = pg_catalog.to_regclass(%s)::oid and a.attname::text = %s::text and not a.attisdropped
"""
_BATCH = """
with stillroom_batch as materialized (
  select {key} as stillroom_key from {table} where {after} and ({where}) order by {key} limit {count}),
stillroom_changed as (
  update {table} set {assignments} from stillroom_batch where {table}.{key} = stillroom_batch.stillroom_key and ({where}) returning 1)
select (select b.stillroom_key::text from stillroom_batch b order by b.stillroom_key desc limit 1), (select pg_catalog.count(*) from stillroom_changed),
       (select pg_catalog.count(*) from stillroom_batch)
"""


def backfill(
    table: str,
    assignments: str,
    *,
    where: str = "true",
    key: str = "id",
    rows: int = 1000,
    pause_s: float = 0.0,
) -> int:
    """Change the rows of a table in batches, each a transaction of its own; for use in `upgrade()` and `downgrade()`.

    What the step did before is committed first, as by an autocommit block. A step that is cut short goes on after the last
    batch with `invoke migrate --resume`; without a ledger it begins again, so that `where` should leave out what is done.

    Args:
        table: Its name; it may have a schema before a dot.
        assignments: What stands behind SET, as SQL: "timezone = 'UTC'".
        where: Which rows, as SQL; all of them by default.
        key: A column that is NOT NULL and has a unique index of its own; the batches go along it.
        rows: How many a batch reads and locks at most.
        pause_s: Seconds between two batches, for replicas and vacuum to keep up.

    Returns:
        How many rows were changed, earlier tries included.

    Raises:
        ValueError: There is no such table or column, or the column is not such a key.
        RuntimeError: No revision is running.
        psycopg2.Error: The server refused a batch.
    """
    from alembic import op

    if getattr(op, "_proxy", None) is None:
        raise RuntimeError("backfill is for upgrade() and downgrade() of a revision that runs")
    names = tuple(table.split("."))
    whole = " ".join(("UPDATE", ".".join(f'"{each}"' for each in names), "SET", assignments, "WHERE", where))
    context = op.get_context()
    if context.as_sql:
        context.impl.static_output(f"-- in batches of {rows} rows, by {key}")
        op.execute(whole.replace(":", "\\:"))  # no parameters: `'{"a":true}'` is a value
        return 0
    attempt = attempt_under_way()
    raw: Any = op.get_bind().connection.dbapi_connection
    with nullcontext() if raw.autocommit else context.autocommit_block():
        filling = _Filling(raw, attempt, names, assignments, where, key, rows, pause_s, whole)
        changed = filling.run()
    attempt.sent.add(whole)
    return changed


@dataclass(frozen=True)
class _Filling:
    """One backfill under way."""

    raw: PsycopgConnection
    attempt: Attempt
    names: tuple[str, ...]
    assignments: str
    where: str
    key: str
    rows: int
    pause_s: float
    whole: str

    def run(self) -> int:
        """Do batch after batch, from where an earlier try ended."""
        sent, kind = self._begin(), self._read_key()
        observer = self.attempt.running_observer
        if observer:
            observer.statement_begins(self.raw, self.whole)
        started = said = time.monotonic()
        while sent.state != DONE:
            sent = self._batch(sent, kind)
            self.attempt.pulse()
            seam("batch committed")
            now = time.monotonic()
            if now - said > SAY_EVERY_S or sent.state == DONE:
                said = now
                self.attempt.say(f"  {self.names[-1]}: {sent.rows or 0:,} rows changed, {now - started:.1f} s")
            if sent.state != DONE:
                time.sleep(self.pause_s)
        if observer:
            observer.statement_ended(self.raw, sent.rows or 0)
        if self.attempt.running_journal:
            self.attempt.running_journal.place += 1
        return sent.rows or 0

    def _begin(self) -> Sent:
        """Find out how far an earlier try came, or enter a beginning."""
        self.attempt.statement_begins()
        journal = self.attempt.running_journal
        known = journal.find_known(self.whole, [self.key]) if journal else None
        if known:
            return known
        place = journal.place if journal else 0
        sent = Sent(place, digest_of(self.whole, [self.key]), f"backfill of {self.names[-1]}", STARTED, rows=0)
        if journal:
            with self.raw.cursor() as cursor:
                journal.write(cursor, sent)
        return sent

    def _read_key(self) -> str:
        """Read the type of the key.

        Raises:
            ValueError: There is no such table or column, or rows could be passed over because two have the same key.
        """
        name = sql.Identifier(*self.names).as_string(self.raw)
        with self.raw.cursor() as cursor:
            cursor.execute(_KEY, (name, self.key))
            row = cursor.fetchone()
        if row is None:
            raise ValueError(f"backfill: there is no column {self.key} in {name}")
        if not row[1]:
            raise ValueError(
                f"backfill: {self.key} of {name} is not NOT NULL with a unique index of its own; name such a column as key="
            )
        return str(row[0])

    def _batch(self, sent: Sent, kind: str) -> Sent:
        """Do one batch and its row in the journal, in one transaction; tried again while another session is in the way."""
        done = [sent]
        watch = self.attempt.watch
        if watch:
            watch.statement_began()
        try:
            with self.raw.cursor() as cursor:
                retried(lambda: done.append(self._within(cursor, sent, kind)), cursor, self.attempt)
        finally:
            if watch:
                watch.statement_ended()
        return done[-1]

    def _within(self, cursor: Any, sent: Sent, kind: str) -> Sent:
        cursor.execute("begin")
        try:
            cursor.execute(self._statement(sent, kind))
            last, changed, read = cursor.fetchone()
            now = Sent(
                sent.place,
                sent.digest,
                sent.shown,
                STARTED if read == self.rows else DONE,
                rows=(sent.rows or 0) + changed,
                key=last if last is not None else sent.key,
            )
            if self.attempt.running_journal:
                self.attempt.running_journal.write(cursor, now)
            seam("batch written")
            cursor.execute("commit")
        except BaseException:
            if not self.raw.closed:
                cursor.execute("rollback")
            raise
        return now

    def _statement(self, sent: Sent, kind: str) -> sql.Composed:
        key = sql.Identifier(self.key)
        is_first = not sent.rows and not sent.key
        after = (
            sql.SQL("true") if is_first else sql.SQL("{} > {}::{}").format(key, sql.Literal(sent.key), sql.SQL(kind))
        )
        return sql.SQL(_BATCH).format(
            key=key,
            table=sql.Identifier(*self.names),
            after=after,
            where=sql.SQL(self.where),
            count=sql.Literal(self.rows),
            assignments=sql.SQL(self.assignments),
        )
