"""What we say a statement locks, against what the server itself says it locked."""

from __future__ import annotations

import io
import re
import threading
import time
from contextlib import closing, suppress

import psycopg2.errors
import psycopg2.extensions

from stillroom.core.locks import plan_locks
from stillroom.core.locks.modes import STRENGTH, TABLE_OF
from tests.servers import Database

SETUP = """
create table users (id int primary key, email text, age int default 1, boss int);
create index ix_age on users (age);
create table tasks (id int primary key, user_id int references users (id), title text);
create table "Odd ""Name" (id int);
create schema app; create table app.things (id int primary key);
create table parted (id int, d int) partition by list (d);
create table part1 partition of parted for values in (1);
create table part2 (id int, d int);
create table parent (id int); create table child (id int) inherits (parent);
create view v as select id from users; create materialized view mv as select id from users; create unique index ix_mv on mv (id);
create sequence s; create type mood as enum ('good'); create type pair as (a int, b int); create domain d as int;
create function f() returns trigger language plpgsql as 'begin return new; end';
create trigger trg before insert on users for each row execute function f();
create rule r as on insert to tasks do also nothing; create policy p on users;
alter table users add constraint c_age check (age > 0) not valid; alter table users add constraint c_boss foreign key (boss) references users (id) not valid;
create statistics st on id, age from users;
"""
STATEMENTS = """
alter table users add column a int
alter table users add a int references tasks (id)
alter table users drop column age
alter table users alter column age type bigint
alter table only users alter age set default 3
alter table users alter age set not null
alter table users alter column age set statistics 100
alter table users alter column age set (n_distinct = 5)
alter table users alter email set storage external
alter table users alter email set compression pglz
alter table users add constraint u unique (email)
alter table users add constraint u check (age > 1) not valid
alter table users add check (age > 1), alter age set statistics 3
alter table tasks add constraint fk foreign key (id) references users (id)
alter table tasks add foreign key (id) references app.things (id) not valid
alter table users validate constraint c_age
alter table users validate constraint c_boss
alter table users drop constraint c_age
alter table tasks alter constraint tasks_user_id_fkey deferrable
alter table users disable trigger trg
alter table users enable always trigger trg
alter table tasks disable rule r
alter table users enable row level security
alter table users force row level security
alter table users cluster on users_pkey
alter table users set without cluster
alter table users set (fillfactor = 70)
alter table users set (autovacuum_enabled = false, toast.autovacuum_enabled = false)
alter table users set (fillfactor = 70, user_catalog_table = true)
alter table users reset (fillfactor)
alter table part2 set unlogged
alter table users replica identity full
alter table users owner to current_user
alter table users inherit parent
alter table child no inherit parent
alter table parted attach partition part2 for values in (2)
alter table parted detach partition part1
alter table users rename to people
alter table users rename column age to years
alter table users rename constraint c_age to c
alter table users set schema app
alter table "Odd ""Name" add column a int
alter table "app".things add column a int
alter view v rename to w
alter view v alter column id set default 1
alter materialized view mv rename to mw
alter materialized view mv set (fillfactor = 70)
alter sequence s restart
alter sequence s rename to t
alter index ix_age rename to ix
alter index ix_age set (fillfactor = 70)
alter trigger trg on users rename to t
alter policy p on users to public
alter type mood rename value 'good' to 'better'
alter type mood rename to moods
alter function f() cost 3
create index on users (email)
create unique index if not exists ix_mail on only users (email)
drop index ix_age
create trigger t2 after update of age on users for each row execute function f()
create or replace trigger trg before insert on users for each row execute function f()
drop trigger trg on users
create rule r2 as on delete to users do nothing
drop rule r on tasks
create policy p2 on users
drop policy p on users
create statistics st2 on id, email from users
create table n (id int references users (id), x int, foreign key (x) references app.things (id))
create table n (id int) inherits (parent)
create table n partition of parted for values in (3)
create table n as select * from users
create view w as select * from users
create or replace view v as select id from users
create materialized view mw as select * from users
create sequence t
create type t as enum ('a')
create function g() returns int language sql as 'select 1'
create schema other
drop table part2
drop table part2, "Odd ""Name"
drop view v
drop materialized view mv
drop sequence s
drop type mood
drop domain d
truncate part2
truncate table only child, part2
insert into part2 values (1, 2)
update users set age = 2
update only parent set id = 2
delete from child
with gone as (delete from child returning id) insert into part2 select id, 1 from gone
with few as (select id from users) update users u set age = 2 from few where few.id = u.id
select * from users
select id from users where age in (select 1) for update
copy users from stdin
copy users to stdout
comment on table users is 'x'
comment on column users.age is 'x'
comment on column app.things.id is 'x'
comment on index ix_age is 'x'
comment on constraint c_age on users is 'x'
comment on trigger trg on users is 'x'
comment on view v is 'x'
comment on type mood is 'x'
comment on schema app is 'x'
refresh materialized view mv
refresh materialized view concurrently mv
cluster users using users_pkey
reindex table users
reindex index ix_age
analyze users
analyze verbose users (age), tasks
lock table users
lock users, tasks in share row exclusive mode nowait
lock table only users in exclusive mode
grant select on users to public
revoke all on users from public
set local work_mem = '4MB'
""".strip().splitlines()
# They run in no transaction, so each is made to wait behind a lock, and what it waits for is read.
ALONE = {
    "create index concurrently ix_c on users (email)": "users",
    "drop index concurrently ix_age": "users",
    "reindex table concurrently users": "users",
    "reindex (concurrently) index ix_age": "users",
    "vacuum users": "users",
    "vacuum (full, verbose) users": "users",
    "vacuum full users": "users",
    "vacuum (full false) users": "users",
    "vacuum (analyze) users (age)": "users",
    "alter table parted detach partition part1 concurrently": "parted",
}
RELATIONS = """
select c.oid::bigint, case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname, i.indrelid::bigint
from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_index i on i.indexrelid = c.oid
where n.nspname in ('public', 'app')
"""
HELD = "select relation::bigint, mode from pg_locks where locktype = 'relation' and pid = %s and granted = %s"
Connection = psycopg2.extensions.connection


class Relations:
    """What is there before the statements: names by oid, and the table of each index."""

    def __init__(self, connection: Connection) -> None:
        with connection.cursor() as cursor:
            cursor.execute(RELATIONS)
            rows = cursor.fetchall()
        self.names = {oid: name for oid, name, _ in rows}
        self.tables = {name: self.names[table] for _, name, table in rows if table}

    def held(self, connection: Connection, pid: int, *, granted: bool = True) -> dict[str, str]:
        """Read the strongest lock of each relation that is more than one for reading."""
        found: dict[str, str] = {}
        with connection.cursor() as cursor:
            cursor.execute(HELD, (pid, granted))
            rows = cursor.fetchall()
        for oid, mode in rows:
            name = re.sub(r"(?<!^)([A-Z])", r" \1", mode.removesuffix("Lock")).upper()
            relation = self.names.get(oid)
            if relation and name in STRENGTH and STRENGTH[name] >= STRENGTH[found.get(relation, "unknown")]:
                found[relation] = name
        return found

    def said(self, statement: str) -> dict[str, str]:
        """Ask our own reading, with the tables of the indexes that are there put in."""
        (locks,) = plan_locks([statement])
        names = {lock: lock.relation.removeprefix(TABLE_OF) for lock in locks}
        return {name if name == lock.relation else self.tables[name]: lock.mode for lock, name in names.items()}


def test_every_lock_we_name_is_the_one_the_server_takes(database: Database) -> None:
    wrong = {}
    with closing(database.connect()) as worker, worker.cursor() as cursor:
        cursor.execute(SETUP)
        relations = Relations(worker)
        for statement in STATEMENTS:
            cursor.execute("begin")
            if statement.startswith("copy"):
                cursor.copy_expert(statement, io.StringIO())
            else:
                cursor.execute(statement)
            found = relations.held(worker, worker.info.backend_pid)
            cursor.execute("rollback")
            said = relations.said(statement)
            ours = {name: mode for name, mode in said.items() if not name.startswith("the indexes of")}
            # An index is told only where it is the thing itself: its table says what it keeps out.
            theirs = {name: mode for name, mode in found.items() if name in ours or name not in relations.tables}
            if ours != theirs:
                wrong[statement] = (ours, theirs)

    assert not wrong, "\n".join(f"{each}: {both}" for each, both in wrong.items())


def test_what_runs_in_no_transaction_waits_for_the_lock_we_name(database: Database) -> None:
    wrong = {}
    with closing(database.connect()) as holder, holder.cursor() as cursor:
        cursor.execute(SETUP)
        relations = Relations(holder)
        for statement, table in ALONE.items():
            cursor.execute("begin")
            cursor.execute(f"lock table {table} in share update exclusive mode")
            theirs = _waits_for(database, holder, relations, statement, table)
            cursor.execute("rollback")
            ours = relations.said(statement)
            if ours.get(table) != theirs:
                wrong[statement] = (ours, theirs)

    assert not wrong, "\n".join(f"{each}: {both}" for each, both in wrong.items())


def _waits_for(database: Database, holder: Connection, relations: Relations, statement: str, table: str) -> str | None:
    """Start a statement, read the lock it waits for on a table, and cancel it."""
    with closing(database.connect()) as worker:

        def run() -> None:
            with suppress(psycopg2.errors.QueryCanceled), worker.cursor() as cursor:
                cursor.execute(statement)

        thread = threading.Thread(target=run)
        thread.start()
        found: dict[str, str] = {}
        end = time.monotonic() + 10
        while table not in found and thread.is_alive() and time.monotonic() < end:
            found = relations.held(holder, worker.info.backend_pid, granted=False)
        worker.cancel()
        thread.join()
    return found.get(table)
