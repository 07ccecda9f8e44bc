"""Names that try to leave their place: databases, schemas, tables, messages, and what others planted under them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.commands.backing import names
from tests.commands.revisions import files, newest
from tests.commands.support import HEAD, answer, current, database_of, has_table, query, set_mark, write_revision
from tests.faults.asking import ask, refusal
from tests.servers import Database, Finished, Project, Server

STEP = "000000000001"
ODD = 'o"dd; drop table users; --%s %(x)s \n\x1b[31m✓'
SOURCE = Path(__file__).resolve().parents[2] / "src"


def invoke_all(project: Project, *words: str) -> Finished:
    """Run several tasks in one process; all of them must work."""
    done = project.invoke(*words)
    assert done.code == 0, done.stderr
    return done


@pytest.mark.parametrize("name", ['a";drop table users;--$(touch x)`;&', "100%s %(x)s ümläut ✓ 'q'"])
def test_a_database_of_any_name_goes_through_all_tasks(project: Project, server: Server, name: str) -> None:
    """S11, S12: migrate, backup, rollback, stamp, reset-dev, restore beside it and by a swap."""
    odd, copy = Database(name, server), Database(f"{name} copy", server)
    quoted = name.replace('"', '""')
    server.execute(f'create database "{quoted}"')
    project.database = odd
    project.environment |= {"DATABASE_URL": url_of(odd), "APP_ENV": "development"}
    try:
        invoke_all(
            project,
            "migrate",
            "backup",
            "rollback",
            "--yes",
            "stamp",
            HEAD,
            "--allow",
            "unproven",
            "reset-dev",
            "--yes",
        )
        backup = names(project)[0]
        swapped = invoke_all(project, "restore", backup, "--into", copy.name, "restore", backup, "--yes")

        assert current(project) == [HEAD]
        assert has_table(replace(project, database=copy), "users")
        assert name in swapped.stdout
        assert list(project.path.rglob("x")) == []
    finally:
        with closing(server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(
                "select format('drop database %%I with (force)', datname) from pg_database where starts_with(datname, %s)",
                (name,),
            )
            for (statement,) in cursor.fetchall():
                cursor.execute(statement)


def url_of(database: Database) -> str:
    return f"postgresql://{database.server.superuser}@/{quote(database.name, safe='')}?host={quote(database.server.socket, safe='')}"


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "host=evil", "postgresql://evil/x", "-f x"])
def test_a_database_name_that_libpq_or_a_program_reads_otherwise_is_refused(project: Project, name: str) -> None:
    """S11, S12, S13: more of them in tests/core/test_urls_refused.py."""
    url = f"postgresql://app@127.0.0.1:1/{quote(name, safe='')}"

    done = project.invoke("status", env={"DATABASE_URL": url})

    assert done.code == 2, done.stderr
    assert "evil" not in done.stderr


def test_schemas_and_tables_of_any_name_are_dropped_counted_and_shown(migrated: Project) -> None:
    """S11, S32: what is dropped is what was meant, and a name cannot write to the terminal."""
    drop = f"op.drop_table({ODD!r}, schema={ODD!r})"
    create = f"op.execute(sa.schema.CreateSchema({ODD!r}, if_not_exists=True))\nop.create_table({ODD!r}, sa.Column('id', sa.Integer), schema={ODD!r})"
    write_revision(migrated, STEP, create, downgrade=drop, message="red \x1b[31m and \u202e turned")
    migrated.environment["STILLROOM_SCHEMAS"] = f"public,{ODD}"
    migrate = migrated.invoke("migrate")
    quoted = ODD.replace('"', '""').replace("%", "%%")
    query(migrated, f'insert into "{quoted}"."{quoted}" select generate_series(1, 3)', 1)

    plan = migrated.invoke("rollback", "--plan", "--json")
    done = invoke_all(
        migrated, "history", "rollback", "--plan", "backup", "rollback", "--yes", "migrate", "reset-dev", "--yes"
    )

    assert migrate.code == 0, migrate.stderr
    assert answer(plan.stdout)["result"]["losses"][0]["count"] == 3
    assert "would lose table" in done.stdout
    shown = migrate.stdout + migrate.stderr + done.stdout + done.stderr
    assert "\\x1b[31m" in shown
    assert "\\u202e" in shown
    assert not {"\x1b", "\u202e", "\r"} & set(shown)
    assert has_table(migrated, "users")
    assert current(migrated) == [STEP]


def test_a_version_table_of_any_name_in_any_schema_is_used(project_on_database: Project) -> None:
    """S11: the qualified name is quoted by psycopg2 wherever it is read or written."""
    project = project_on_database
    env = project.path / "migrations" / "alembic" / "env.py"
    env.write_text(env.read_text().replace("run(SQLModel.metadata)", "run(SQLModel.metadata, version_table='v\"e %s')"))
    project.environment["APP_ENV"] = "development"

    done = invoke_all(project, "migrate", "rollback", "--yes", "stamp", HEAD, "--allow", "unproven", "status")

    assert "at head" in done.stdout
    assert query(project, 'select version_num from "v""e %%s"', 1) == [(HEAD,)]


@pytest.mark.parametrize("message", ['a"""\nimport os; os.mknod("x")\n"""; $(touch x); `touch x`', "../../../x\\"])
def test_a_message_stays_a_text_whoever_writes_the_file(migrated: Project, message: str) -> None:
    """S08, S09, S12: the fuzzing of messages is in tests/core/test_messages.py."""
    ours = migrated.invoke("make-migration", "--empty", f"--message={message}")
    made = newest(migrated)
    invoke_all(migrated, "migrate")
    theirs = migrated.alembic("revision", f"--message={message}")

    assert (ours.code, theirs.code) == (0, 0), ours.stderr + theirs.stderr
    assert len(files(migrated)) == 5
    for path in (made, newest(migrated)):
        body = ast.parse(path.read_text()).body
        assert not [node for node in body if isinstance(node, ast.Expr)][1:]
        assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert list(migrated.path.parent.rglob("x")) == []


@pytest.fixture
def shared(migrated: Project) -> Iterator[tuple[Project, str, str]]:
    """A database with an owner who migrates it, and a stranger who may create objects in public, as up to PostgreSQL 14."""
    database = database_of(migrated)
    owner, stranger = f"owner_{database.name}", f"stranger_{database.name}"
    for role in (owner, stranger):
        query(migrated, f"create role {role} login")
    for statement in (
        f"alter database {database.name} owner to {owner}",
        "alter table alembic_version owner to {0}",
        "alter table users owner to {0}",
        "grant all on schema stillroom to {0}",
        "grant all on all tables in schema stillroom to {0}",
        f"grant all on schema public to {{0}}, {stranger}",
    ):
        query(migrated, statement.format(owner))
    migrated.environment["DATABASE_URL"] = database.url.replace("postgres@", f"{owner}@")
    yield migrated, owner, stranger
    database.drop()
    for role in (owner, stranger):
        database.server.execute(f"drop role {role}")


PLANTED = {
    "a stranger's table": ("alter table alembic_version owner to {stranger}", "belongs to stranger_"),
    "a stranger's trigger": (
        "create function public.spy() returns trigger language plpgsql as $$ begin perform pg_sleep(0); return new; end $$; "
        "alter function public.spy() owner to {stranger}; "
        "create trigger planted before insert or update on alembic_version for each row execute function public.spy()",
        "runs another role's code: trigger planted of stranger_",
    ),
    "a rule": (
        "create rule planted as on update to alembic_version do instead nothing",
        "has a rule: planted",
    ),
    "row security for us": (
        "alter table alembic_version enable row level security; alter table alembic_version force row level security",
        "has row security that holds for owner_",
    ),
    "a view": (
        "alter table alembic_version rename to real; create view alembic_version as select * from real; "
        "alter view alembic_version owner to {stranger}",
        "is no table",
    ),
}


@pytest.mark.parametrize(("statements", "said"), PLANTED.values(), ids=PLANTED)
def test_a_version_table_that_is_not_ours_is_neither_read_nor_written(
    shared: tuple[Project, str, str], statements: str, said: str
) -> None:
    """S27."""
    project, owner, stranger = shared
    write_revision(project, STEP, "op.execute('select 1')")
    query(project, statements.format(stranger=stranger, owner=owner))

    done = project.invoke("migrate")

    assert done.code == 3, done.stderr
    assert said in done.stderr
    assert query(project, f"select version_num from {'real' if 'view' in statements else 'alembic_version'}") == [
        (HEAD,)
    ]


HONEST = {
    "the owner of the database owns it": "select 1",
    "a superuser owns it": "alter table alembic_version owner to postgres; grant all on alembic_version to {owner}",
    "a role we are in owns it": "grant {stranger} to {owner}; alter table alembic_version owner to {stranger}",
    "row security that its owner is not subject to, as on Supabase": "alter table alembic_version enable row level security",
    "an auditor's trigger, by a superuser": (
        "create function public.audit() returns trigger language plpgsql as $$ begin return new; end $$; "
        "create trigger audit after update on alembic_version for each row execute function public.audit()"
    ),
}


@pytest.mark.parametrize("statements", HONEST.values(), ids=HONEST)
def test_what_managed_servers_and_auditors_do_to_the_version_table_is_not_refused(
    shared: tuple[Project, str, str], statements: str
) -> None:
    """S27."""
    project, owner, stranger = shared
    write_revision(project, STEP, "op.execute('select 1')")
    query(project, statements.format(stranger=stranger, owner=owner))

    invoke_all(project, "migrate")

    assert current(project) == [STEP]


CODE_OF_THE_OWNER = {
    "a trigger": "create function public.spy() returns trigger language plpgsql as $$ begin return new; end $$; "
    "alter function public.spy() owner to {app}; "
    "create trigger planted before insert or update on alembic_version for each row execute function public.spy()",
    "a default": "alter table alembic_version add at timestamptz default clock_timestamp()",
    "a check": "alter table alembic_version add check (version_num <> '')",
    "an index on an expression": "create index on alembic_version (lower(version_num))",
    "a type of its own": "create domain public.word as text; alter table alembic_version add other public.word",
    "a child": "create table public.child () inherits (alembic_version)",
}


def test_a_superuser_may_migrate_what_a_role_of_the_application_owns_unless_that_runs_its_code(
    shared: tuple[Project, str, str],
) -> None:
    """S27: an administrator at night, on a database that the application's own role has migrated before."""
    project, _, app = shared
    project.environment["DATABASE_URL"] = database_of(project).url
    write_revision(project, STEP, "op.execute('select 1')", downgrade="op.execute('select 1')")
    query(project, f"alter table alembic_version owner to {app}")

    refused = []
    for statements in CODE_OF_THE_OWNER.values():
        query(project, "create table before as select * from alembic_version")
        query(project, statements.format(app=app))
        refused.append(refusal(ask(project, "migrate")["migrate"]))
        query(
            project,
            "drop table alembic_version cascade; drop function if exists public.spy(); drop domain if exists public.word",
        )
        query(project, f"alter table before rename to alembic_version; alter table alembic_version owner to {app}")
    found = ask(project, "status", "migrate", "rollback --yes", "stamp base --allow unproven")

    assert all(each["ok"] for each in found.values()), found
    assert all(app in each for each in refused), refused


def test_who_only_looks_may_read_what_another_role_owns(shared: tuple[Project, str, str]) -> None:
    """S27: a role on call that reads everything and owns nothing; its `migrate` is refused."""
    project, owner, app = shared
    oncall = owner.replace("owner_", "oncall_")
    query(project, f"create role {oncall} login in role pg_read_all_data")
    query(
        project, f"alter table alembic_version owner to {app}; create table public.child () inherits (alembic_version)"
    )
    project.environment["DATABASE_URL"] = database_of(project).url.replace("postgres@", f"{oncall}@")

    with_code = ask(project, "status")
    query(project, "drop table public.child")
    found = ask(project, "status", "history", "check", "check --drift", "migrate")
    query(project, f"drop owned by {oncall}; drop role {oncall}")

    assert "belongs to" in refusal(with_code["status"])
    assert found["status"]["result"]["place"] == "head"
    assert all(found[task]["ok"] for task in ("history", "check", "check --drift")), found
    assert "belongs to" in refusal(found["migrate"])


def test_a_superuser_can_always_write_the_mark(shared: tuple[Project, str, str]) -> None:
    """S30: one that another role wrote stays unknown, which protects; the hint leads out of it."""
    project, _, app = shared
    project.environment["DATABASE_URL"] = database_of(project).url
    query(project, f"alter table stillroom.mark owner to {app}")

    found = ask(project, "reset-dev --yes", "mark --environment development", "status")

    assert "it is marked unknown" in refusal(found["reset-dev --yes"])
    assert found["reset-dev --yes"]["error"]["hint"].endswith("`invoke mark --environment development`")
    assert found["mark --environment development"]["ok"], found
    assert not found["status"]["result"]["is_protected"]


def test_a_mark_that_a_stranger_wrote_protects(shared: tuple[Project, str, str]) -> None:
    """S27, S30: who may create a schema could call production a playground."""
    project, _, stranger = shared
    query(project, f"alter table stillroom.mark owner to {stranger}")

    done = project.invoke("reset-dev", "--yes")

    assert done.code == 3
    assert "it is marked unknown" in done.stderr
    assert has_table(project, "users")


@pytest.mark.parametrize(("mark", "code"), [("production", 3), (None, 3), ("development", 0)])
def test_the_mark_in_the_database_decides_whatever_the_settings_say(
    migrated: Project, mark: str | None, code: int
) -> None:
    """S30, S31, F102: a copied `.env` or a tunnel changes the address, not the mark; the guard's table is in test_guard.py."""
    set_mark(migrated, mark)

    done = migrated.invoke("reset-dev", "--yes", "--json", env={"APP_ENV": "development"})

    assert done.code == code, done.stderr


def test_functions_and_schemas_that_a_stranger_planted_are_not_used(shared: tuple[Project, str, str]) -> None:
    """S26: our own look calls everything by its whole name; the path has no "$user" in it, and a setting pins it."""
    project, owner, stranger = shared
    for signature in (
        "ltrim(text, text)",
        "regexp_replace(text, text, text, text)",
        "quote_ident(text)",
        "lower(varchar)",
    ):
        body = f"raise exception 'the planted % ran as %', '{signature}', current_user;"
        function = f"create function public.{signature} returns text language plpgsql as $$ begin {body} end $$"
        query(project, f"{function}; alter function public.{signature} owner to {stranger}")
    query(project, f"alter database {database_of(project).name} set search_path to '$user', public, pg_catalog")
    query(project, f"create schema {owner} authorization {stranger}; grant all on schema {owner} to public")

    look = project.invoke("status")
    query(project, f"create schema app authorization {owner}")
    query(project, "alter table users set schema app; alter table alembic_version set schema app")
    use = "op.execute('select lower(email) from users')\nop.create_table('made', sa.Column('id', sa.Integer))"
    write_revision(project, STEP, use)
    done = project.invoke("migrate", env={"STILLROOM_SEARCH_PATH": "app"})

    assert look.code == 0, look.stderr
    assert done.code == 0, done.stderr
    assert query(project, "select schemaname::text from pg_tables where tablename = 'made'") == [("app",)]


def test_no_statement_is_put_together_by_python() -> None:
    """S11: an f-string, `%` or `.format` on SQL takes constants of ours only; names go through psycopg2's `sql`."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                chosen = constants_in(function)
                found += [f"{path.name}:{node.lineno}" for node in ast.walk(function) if is_mixed(node, chosen)]

    assert found == []


def constants_in(function: ast.FunctionDef) -> set[str]:
    """Names that a function chooses among literal texts."""
    return {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp)
        and isinstance(node.value.body, ast.Constant) and isinstance(node.value.orelse, ast.Constant)
        for target in node.targets if isinstance(target, ast.Name)
    }  # fmt: skip


def is_mixed(node: ast.AST, chosen: set[str]) -> bool:
    """Say whether a call hands SQL to the server, or to `sql.SQL`, that Python has put together."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    name = ast.unparse(node.func)
    if not (name.endswith((".execute", ".exec_driver_sql")) or name in {"sql.SQL", "SQL", "text"}):
        return False
    given = node.args[0]
    if isinstance(given, ast.JoinedStr):
        return any(
            ast.unparse(each.value) not in chosen for each in given.values if isinstance(each, ast.FormattedValue)
        )
    made_of_text = isinstance(given, ast.BinOp) and isinstance(given.op, ast.Mod | ast.Add)
    formatted = isinstance(given, ast.Call) and isinstance(given.func, ast.Attribute) and given.func.attr == "format"
    return made_of_text or (formatted and isinstance(given.func.value, ast.Constant))  # type: ignore[attr-defined]
