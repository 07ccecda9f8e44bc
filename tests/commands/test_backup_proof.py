"""`backup --verify restore`: what comes back is compared with what was there, and nothing is taken for damage that is none."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from stillroom.core.manifest import read_manifest
from tests.commands.backing import databases, folder, make_backup, manifest, names, tools_instead
from tests.commands.support import add_user, answer, database_of, finish, launch, query, until
from tests.provision import provision
from tests.servers import Project

EVERYTHING = r"""
create type mood as enum ('sad', 'it''s ok');
create type pair as (a int, b text);
create domain positive as int check (value > 0 and value::text ~ '^\d+$');
create sequence counting start 10 increment by -2 minvalue -1000 maxvalue 10; select nextval('counting');
create table states (id serial primary key, status varchar(20) check (status in ('new', 'done')), m mood default 'sad',
  at timestamptz default now(), i interval default '1 day 02:00', f double precision default 0.1, n numeric(10, 2), b bytea default '\x00ff',
  j jsonb default '{"a": 1}', t tsvector, r tstzrange default tstzrange('2020-01-01', null), p pair, d positive default 1, x xml,
  cls regclass default 'states_id_seq', cash money default 12.5, bits bit(3) default '101', net inet default '10.0.0.1', u uuid default gen_random_uuid());
insert into states (status, n, t, p, f) values ('new', 1.5, 'a:1 b:2', (1, 'x"y'), 'NaN'),
  (null, null, null, null, '-Infinity'), ('done', -0.00, '', (null, ''), 1e300);
create table notes (id int generated always as identity, body text collate "C", size int generated always as (length(body)) stored,
  constraint notes_pk primary key (id), unique (body), exclude using gist (int4range(id, id, '[]') with &&));
insert into notes (body) values ('Grüße'), (E'a\tb\\c\nd'), ('');
create table notes_of (id int references notes deferrable initially deferred, why text not null default 'because');
alter table notes_of add constraint later check (why <> 'no') not valid;
create index on notes (lower(body)) where size > 0; create index states_j on states using gin (j jsonb_path_ops);
create table parent (a int); create table child (own text) inherits (parent); alter table parent add column late int default 3;
insert into child (a, own) values (1, 'o'); insert into parent values (2);
create table parted (n int, at date) partition by range (n); create table parted_1 (at date, n int);
alter table parted attach partition parted_1 for values from (0) to (10); create index on parted (at); insert into parted values (1, '2020-02-29');
create unlogged table quick as select 1 as one; create table nothing (); insert into nothing default values;
create view open_states as select id, status from states where status in ('new', 'done') and m = 'sad'; comment on view open_states is 'it''s a view';
create materialized view totals as select status, count(*) from states group by status with data; create unique index on totals (status);
create function twice(n int) returns int language sql immutable as $$ select n * 2 $$; create procedure noop() language plpgsql as $$ begin null; end $$;
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger touching before update on notes for each row execute function touch();
alter table states enable row level security; create policy only_new on states for select using (status = 'new');
create rule nope as on delete to notes_of do instead nothing; create statistics pairs on id, status from states;
create schema "odd ""s"; create table "odd ""s"."a.b%s" ("c ""d" int default 7); insert into "odd ""s"."a.b%s" default values;
select lo_from_bytea(0, decode(repeat('00ff', 5000), 'hex')), lo_from_bytea(0, '');
create table gone (a int, b int, c int); alter table gone drop column b; insert into gone values (1, 3);
"""


def test_a_schema_with_everything_in_it_comes_back_as_it_was(migrated: Project) -> None:
    query(migrated, EVERYTHING)

    done = migrated.invoke("backup", "--verify", "restore")

    assert done.code == 0, done.stderr
    assert "note:" not in done.stdout
    (name,) = names(migrated)
    found = read_manifest((folder(migrated) / name / "manifest.json").read_text())
    assert all(each.hash for each in found.rows)
    assert (found.contents.large_objects.count, found.contents.large_objects.size_bytes) == (2, 10_000)
    assert databases(migrated) == {database_of(migrated).name}


AFTERWARDS = """"$real" "$@" || exit $?; for each in "$@"; do case $each in --dbname=*) db=${{each#--dbname=}};; esac; done
[ -z "$db" ] || {psql} -qAt -d "$db" -c {sql} >/dev/null || exit 9; exit 0"""


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("delete from users", "public.users has 0 rows, the backup 1"),
        ("update users set display_name = 'Eve'", "public.users has as many rows as the backup, and not the same ones"),
        ("select setval('numbers', 1)", "the sequence public.numbers is at 1, and was at 7"),
        ("alter table users alter display_name drop not null", "table public.users is made otherwise"),
        ("drop index users_email_again", "table public.users is made otherwise"),
        ("create table extra ()", "table public.extra was not there"),
        ("drop function twice", "function public.twice(integer) is missing"),
        ("select lo_put(42, 0, 'x')", "there are as many large objects as in the backup, and not the same ones"),
        ("select lo_unlink(42)", "there are 0 large objects, in the backup 1"),
        ("select lo_create(43)", "there are 2 large objects, in the backup 1"),
    ],
)
def test_a_copy_that_is_not_the_same_is_no_proof(migrated: Project, statement: str, said: str) -> None:
    """F81, F84: pg_restore ends with 0, and the copy is another database."""
    add_user(migrated)
    query(
        migrated,
        """create index users_email_again on users (email); create sequence numbers; select setval('numbers', 7); select lo_from_bytea(42, 'abc');
           create function twice(n int) returns int language sql as 'select n * 2'""",
    )
    psql = database_of(migrated).server.bin / "psql"
    tools_instead(migrated, restore=AFTERWARDS.format(psql=psql, sql=f'"{statement}"'))

    done = migrated.invoke("backup")

    assert done.code == 5
    assert f"the dump is not what was backed up: {said}" in done.stderr
    assert names(migrated) == []
    assert databases(migrated) == {database_of(migrated).name}


def scratches(project: Project) -> set[str]:
    """The scratch databases on the server, whoever made them."""
    with closing(database_of(project).server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select datname from pg_database where starts_with(datname, 'stillroom_scratch_')")
        return {name for (name,) in cursor.fetchall()}


def test_the_copy_is_dropped_also_after_a_kill(migrated: Project) -> None:
    """F92: by the next run, because a comment names the session that is gone."""
    marker = migrated.path.parent / "started"
    tools_instead(migrated, restore=f'echo $$ > "{marker}"; "$real" "$@"; sleep 60')
    before = scratches(migrated)
    process = launch(migrated, "backup")
    until(lambda: marker.exists() and marker.read_text())
    until(lambda: scratches(migrated) - before)
    (left,) = scratches(migrated) - before
    (run,) = folder(migrated).glob("*.partial/run.json")
    os.kill(json.loads(run.read_text())["pid"], signal.SIGKILL)
    finish(process)
    with contextlib.suppress(ProcessLookupError):  # its parent ends it as well
        os.kill(int(marker.read_text()), signal.SIGKILL)

    tools_instead(migrated)
    again = migrated.invoke("backup")

    assert again.code == 0, again.stderr
    assert f"dropped {left}, which an interrupted run had left" in again.stderr
    assert left not in scratches(migrated)


def test_a_level_can_be_asked_for(migrated: Project) -> None:
    read = manifest(migrated, make_backup(migrated, "--verify", "read"))
    small = migrated.invoke("backup", "--json", env={"STILLROOM_VERIFY_RESTORE_MB": "0"})
    wrong = migrated.invoke("backup", "--verify", "both")

    assert (read["verified"], read["verified_where"]) == ("read", "")
    assert not any(each["hash"] for each in read["rows"]), "hashes would read everything twice"
    assert answer(small.stdout)["result"]["backup"]["verified"] == "read"
    assert wrong.code == 2
    assert "--verify is 'both', neither read nor restore" in wrong.stderr


@pytest.fixture
def owned(migrated: Project) -> Project:
    """A project whose role owns its database, and may create no other one."""
    database = database_of(migrated)
    role = f"owner_{database.name}"
    query(
        migrated,
        f"""create role {role} login; alter database {database.name} owner to {role}; grant {role} to postgres;
            do $$ declare t regclass; begin for t in select oid::regclass from pg_class
              where relkind = 'r' and relnamespace in ('public'::regnamespace, 'stillroom'::regnamespace)
              loop execute format('alter table %s owner to {role}', t); end loop; end $$;
            alter schema stillroom owner to {role}; alter schema public owner to {role}""",
    )
    migrated.environment["DATABASE_URL"] = database.url.replace("postgres@", f"{role}@")
    migrated.environment["APP_ENV"] = "development"
    return migrated


def test_a_role_that_may_create_no_database_proves_on_the_embedded_server(owned: Project) -> None:
    add_user(owned)

    done = owned.invoke("backup", "--verify", "restore")

    assert done.code == 0, done.stderr
    assert "restored into a scratch database on the embedded PostgreSQL" in done.stdout
    assert "owners and grants were not compared" in done.stdout
    del owned.environment["DATABASE_URL"]
    assert "not running" in owned.invoke("server.status").stdout, "it did not run before"


def test_where_there_is_no_place_for_a_copy_it_is_read_and_that_is_said(owned: Project) -> None:
    """Asked for by name it is refused, and nothing is kept."""
    tools_instead(owned)  # that folder has no initdb

    default = owned.invoke("backup")
    asked = owned.invoke("backup", "--verify", "restore")

    assert default.code == 0, default.stderr
    assert "read back in full" in default.stdout
    assert "it was read back and not restored: " in default.stdout
    assert asked.code == 3
    assert "may not create a scratch database there, and the embedded server cannot run here" in asked.stderr
    assert len(names(owned)) == 1


@pytest.mark.parametrize(("limit", "proof"), [(2, "read back in full"), (3, "restored into a scratch database")])
def test_a_role_with_few_connections_gets_the_proof_that_they_allow(owned: Project, limit: int, proof: str) -> None:
    """F29: for the dump it takes two."""
    role = f"owner_{database_of(owned).name}"
    query(owned, f"alter role {role} createdb connection limit {limit}")

    done = owned.invoke("backup")

    assert done.code == 0, done.stderr
    assert proof in done.stdout.splitlines()[-1]


def test_rows_of_an_extension_are_its_own_affair(migrated: Project) -> None:
    """As those of PostGIS, which pg_dump takes along."""
    query(
        migrated,
        """create extension if not exists hstore; create table configured (n int); insert into configured values (1), (2);
           alter extension hstore add table configured;
           update pg_extension set extconfig = array['configured'::regclass::oid], extcondition = array['where n > 1'] where extname = 'hstore'""",
    )

    name = make_backup(migrated, "--verify", "read")
    verified = migrated.invoke("backups.verify", name)

    assert manifest(migrated, name)["contents"]["extension_tables"] == ["public.configured"]
    assert verified.code == 0, verified.stderr


@pytest.mark.parametrize(
    ("args", "ending"), [(("--verify", "restore"), ".zst"), (("--verify", "read"), ".gz"), ((), ".gz")]
)
def test_large_objects_are_compressed_with_zstd_only_where_they_will_be_compared(
    migrated: Project, args: tuple[str, ...], ending: str
) -> None:
    """A cut zstd file is read without a word; a restore that was not asked for may become a reading."""
    add_user(migrated)
    query(migrated, "select lo_from_bytea(0, 'abc')")
    migrated.environment["STILLROOM_PG_BIN"] = str(provision(18).folder)

    found = manifest(migrated, make_backup(migrated, *args))

    # The programs of the server's own major are taken where they are, and those before 16 know no zstd.
    known = ending if int(found["tool_version"].partition(".")[0]) >= 16 else ".gz"
    assert {Path(each["path"]).suffix for each in found["files"]} - {".dat", ".toc"} == {known}


def test_the_parts_of_the_time_are_told(migrated: Project) -> None:
    done = migrated.invoke("backup", "--json")

    backup = answer(done.stdout)["result"]["backup"]
    assert set(backup["timings"]) == {"dump", "hash", "proof"}
    assert min(backup["timings"].values()) > 0
    assert sum(backup["timings"].values()) <= backup["seconds"]
    assert manifest(migrated, backup["name"])["timings"] == backup["timings"]


def test_the_roles_own_time_limits_do_not_stop_a_backup(owned: Project) -> None:
    """pg_dump lifts them for itself."""
    role = f"owner_{database_of(owned).name}"
    query(
        owned,
        f"alter role {role} createdb; create table slow as select generate_series(1, 600000) n; alter table slow owner to {role}",
    )
    query(owned, f"alter role {role} set statement_timeout = '150ms'")

    done = owned.invoke("backup")

    assert done.code == 0, done.stderr
    assert "restored into a scratch database on the same server" in done.stdout


def test_a_worker_of_autovacuum_in_the_copy_is_no_reason_to_fail(owned: Project) -> None:
    """The role may not end it: the server does, when the database is dropped."""
    role = f"owner_{database_of(owned).name}"
    query(
        owned,
        f"alter role {role} createdb; create table bulk as select n, md5(n::text) from generate_series(1, 100000) n",
    )
    query(owned, f"alter table bulk owner to {role}")
    with eager_autovacuum(owned):
        done = [owned.invoke("backup") for _ in range(2)]

    assert [each.code for each in done] == [0, 0], [each.stderr for each in done]


@contextmanager
def eager_autovacuum(project: Project) -> Iterator[None]:
    """Let autovacuum look every second, and take its time with each table."""
    settings = (
        "autovacuum_naptime = '1s'",
        "autovacuum_vacuum_cost_limit = 1",
        "autovacuum_vacuum_cost_delay = '100ms'",
    )
    server = database_of(project).server
    for each in settings:
        server.execute(f"alter system set {each}")
    server.execute("select pg_reload_conf()")
    try:
        yield
    finally:
        for each in settings:
            server.execute(f"alter system reset {each.split()[0]}")
        server.execute("select pg_reload_conf()")


def test_settings_are_there_for_the_second_try_as_well(owned: Project) -> None:
    """The one without owners and grants."""
    role, name = f"owner_{database_of(owned).name}", database_of(owned).name
    query(
        owned,
        f"""alter role {role} createdb; create role other_{name}; alter database {name} set timezone = 'Asia/Tokyo';
            create table ours (i int check (current_setting('timezone') = 'Asia/Tokyo')); alter table ours owner to other_{name};
            grant select on ours to {role}""",
    )
    query(owned, "insert into ours values (7)")

    done = owned.invoke("backup")

    assert done.code == 0, done.stderr
    assert "once more, without owners and grants" in done.stderr
    assert "restored into a scratch database on the same server" in done.stdout.splitlines()[-1]
