"""F06 to F13, S09, S10, S17, S33: revision graphs and files that are not as they should be, for every task that reads them."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.commands.support import HEAD, INITIAL, answer, current, has_table, query, write_revision
from tests.faults.asking import READING, ask, refusal
from tests.servers import Project

LEFT, RIGHT = "aaaa00000001", "bbbb00000001"
VERSIONS = "migrations/alembic/versions"


def two_heads(project: Project) -> tuple[str, str]:
    """Fork the history after head, and return the two files."""
    return write_revision(project, LEFT, "op.create_table('lefts')"), write_revision(project, RIGHT, "pass")


def commit_as(project: Project, name: str) -> None:
    """Put everything into git under a person's name."""
    who = ["-c", f"user.name={name}", "-c", f"user.email={name}@example.com"]
    for args in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "all"]):
        subprocess.run(["git", *args], cwd=project.path, check=True, capture_output=True)


def test_two_heads_run_nothing_and_are_named_with_file_date_and_author(migrated: Project) -> None:
    """F06."""
    left, right = two_heads(migrated)
    dated = migrated.path / right
    dated.write_text(dated.read_text().replace('a step"""', 'a step\n\nCreate Date: 2026-02-01 10:11:12+00:00\n"""'))
    commit_as(migrated, "Ada")

    found = ask(migrated, "migrate", "backup-then-migrate", "migrate --plan", "status", "history", "heads")

    for task in ("migrate", "backup-then-migrate", "migrate --plan"):
        message = refusal(found[task])
        assert message.startswith(
            f"there are 2 heads after {HEAD}; nothing was run\n  {LEFT}:\n    {LEFT}  a step  (20"
        )
        assert f"(2026-02-01 10:11, Ada; {right})" in message
        assert f", Ada; {left})" in message
        assert "`invoke heads.merge`" in found[task]["error"]["hint"]
        assert "`invoke migrate --target heads` applies both" in found[task]["error"]["hint"]
    assert found["status"]["result"]["pending"] == [LEFT, RIGHT]
    assert [each["head"] for each in found["status"]["result"]["fork"]["chains"]] == [LEFT, RIGHT]
    assert found["history"]["ok"]
    assert len(found["heads"]["result"]["heads"]) == 2
    assert (current(migrated), has_table(migrated, "lefts")) == ([HEAD], False)


def test_a_row_that_another_row_includes_is_refused_in_both_directions(migrated: Project) -> None:
    """F07."""
    query(migrated, "insert into alembic_version values (%s)", INITIAL)
    rows = [INITIAL, HEAD]

    found = ask(
        migrated, "migrate", "migrate --plan", "rollback --yes", "rollback --target base --yes", "status", "history"
    )

    for task in ("migrate", "migrate --plan", "rollback --yes", "rollback --target base --yes"):
        message = refusal(found[task])
        assert (
            message
            == f"the version table holds {INITIAL} and {HEAD}, which comes after it: one of the two rows is a stray"
        )
        assert found[task]["error"]["hint"].startswith(f"`invoke stamp {HEAD}`")
    assert (found["status"]["result"]["place"], found["status"]["result"]["pending"]) == ("overlapping", [])
    assert found["history"]["ok"]
    assert (sorted(current(migrated)), has_table(migrated, "users")) == (sorted(rows), True)
    assert migrated.invoke("stamp", HEAD).code == 0
    assert current(migrated) == [HEAD]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({LEFT: (LEFT, LEFT)}, "these revisions follow each other in a ring: {left}"),
        ({LEFT: (LEFT, RIGHT), RIGHT: (RIGHT, LEFT)}, "these revisions follow each other in a ring: {left}, {right}"),
        ({LEFT: (LEFT, HEAD), RIGHT: (LEFT, HEAD)}, f"revision {LEFT} is in two files: {{left}} and {{right}}"),
        ({LEFT: (LEFT, "gone")}, "{left} follows revision gone, and no file has it"),
    ],
    ids=["self-loop", "cycle", "duplicate id", "missing parent"],
)
def test_a_graph_that_is_not_sound_names_its_files(
    migrated: Project, files: dict[str, tuple[str, str]], message: str
) -> None:
    """F04, F08."""
    paths = {"left": "", "right": ""}
    for side, (name, (id_, down)) in zip(paths, files.items(), strict=False):
        paths[side] = write_revision(migrated, name, "pass", down=down)
        file = migrated.path / paths[side]
        file.write_text(file.read_text().replace(f"revision = {name!r}", f"revision = {id_!r}", 1))

    found = ask(migrated, *READING)

    assert {refusal(each) for each in found.values()} == {message.format(**paths)}


BROKEN = {
    "a syntax error": (b"x = (1,\n", "column 5: '(' was never closed"),
    "a merge mark": (b"<<<<<<< HEAD\n", "column 1: a mark of a merge conflict"),
    "a NUL byte": (b"x = '\0'\n", "column 6: a NUL byte"),
    "not UTF-8": (b"x = '\xff'\n", "column 6: it is not UTF-8"),
}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"x = [\n", "column 5: '[' was never closed"),
        (b"<<<<<<< HEAD\ndown_revision = 'a'\n", "column 1: a mark of a merge conflict"),
        BROKEN["a NUL byte"],
        BROKEN["not UTF-8"],
    ],
    ids=BROKEN,
)
def test_a_file_broken_in_its_head_is_named_with_line_and_column(migrated: Project, line: bytes, message: str) -> None:
    """F09."""
    path = write_revision(migrated, LEFT, "pass")
    data = (migrated.path / path).read_bytes()
    (migrated.path / path).write_bytes(data.replace(b"revision =", line + b"revision =", 1))

    found = ask(migrated, *READING, "migrate --plan")

    assert {refusal(each) for each in found.values()} == {f"{path}, line 6, {message}"}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_pending_file_broken_below_its_head_stops_migrate_alone(migrated: Project, kind: str) -> None:
    """F09."""
    line, message = BROKEN[kind]
    path = write_revision(migrated, LEFT, "pass")
    with (migrated.path / path).open("ab") as file:
        file.write(line)

    found = ask(migrated, *READING, "migrate --plan", "backup-then-migrate")

    for task in ("migrate", "migrate --plan", "backup-then-migrate"):
        assert refusal(found[task]) == f"{path}, line 16, {message}"
    assert [found[task]["ok"] for task in READING[:4]] == [True] * 4
    assert found["status"]["result"]["pending"] == [LEFT]
    assert current(migrated) == [HEAD]


def test_an_applied_file_that_broke_stops_what_would_run_and_nothing_else(migrated: Project) -> None:
    """F10."""
    applied = next((migrated.path / VERSIONS).glob(f"*{INITIAL}*"))
    applied.write_text(applied.read_text() + "x = (1,\n")
    at_head = ask(migrated, *READING)
    write_revision(migrated, LEFT, "op.create_table('lefts')")

    found = ask(migrated, *READING, "migrate --plan")

    assert [each["ok"] for each in at_head.values()] == [True] * 5
    assert [found[task]["ok"] for task in READING[:4]] == [True] * 4
    lines = applied.read_text().count("\n")
    for task in ("migrate", "migrate --plan"):
        assert (
            refusal(found[task])
            == f"migrations/alembic/versions/{applied.name}, line {lines}, column 5: SyntaxError: '(' was never closed"
        )
    assert (current(migrated), has_table(migrated, "lefts")) == ([HEAD], False)


def test_a_pending_file_without_both_functions_is_refused_before_anything_runs(migrated: Project) -> None:
    """F11: a file that was cut, however far, and one that has its functions from elsewhere."""
    first = write_revision(migrated, LEFT, "op.create_table('lefts')")
    path = write_revision(migrated, RIGHT, "pass", down=LEFT)
    text = (migrated.path / path).read_text()

    for cut, missing in (
        (text.index("def downgrade"), "downgrade()"),
        (text.index("def upgrade"), "upgrade() and no downgrade()"),
    ):
        (migrated.path / path).write_text(text[:cut])
        found = ask(migrated, "migrate", "migrate --plan", "backup-then-migrate", "reset-dev --yes", "status")
        for task in list(found)[:4]:
            assert refusal(found[task]) == f"{path} has no {missing}; it may have been cut"
        assert found["status"]["result"]["pending"] == [LEFT, RIGHT]
    assert (current(migrated), has_table(migrated, "lefts")) == ([HEAD], False)

    (migrated.path / first).unlink()
    (migrated.path / path).write_text(text.replace(f"= '{LEFT}'", f"= {HEAD!r}").replace("def downgrade():\n    pass", "downgrade = upgrade"))  # fmt: skip
    assert ask(migrated, "migrate")["migrate"]["ok"]


UNSAFE = {
    "a quote": "x');create table pwned(a int);--",
    "a backslash": "a\\b",
    "a semicolon": "a;b",
    "parentheses": "a(b)",
    "a percent sign": "a%sb",
    "a slash": "../../evil",
    "a space": "a b",
    "a line break": "a\nb",
    "a control character": "a\x1b[31mb",
    "too long": "a" * 33,
    "empty": "",
}


def test_an_unsafe_id_is_refused_before_alembic_sees_it(project_on_database: Project) -> None:
    """F12, S10, and what S09 needs of it: in an id and in a parent's, also as the first revision of an empty database."""
    project = project_on_database
    for each in (project.path / VERSIONS).glob("*.py"):
        each.unlink()
    messages = set()

    for name, id_ in UNSAFE.items():
        path = write_revision(project, "cafe", "pass", down=None)
        file = project.path / path
        file.write_text(file.read_text().replace("revision = 'cafe'", f"revision = {id_!r}", 1))
        found = ask(project, *(READING if name == "a quote" else ("migrate",)))
        messages |= {refusal(each) for each in found.values()}
        assert all(each["error"]["message"].startswith(f"{path}: the revision id ") for each in found.values()), name
    file.write_text(file.read_text().replace("down_revision = None", f"down_revision = {UNSAFE['a quote']!r}"))
    refusal(ask(project, "migrate")["migrate"])

    assert len(messages) == len(UNSAFE)
    assert query(project, "select count(*) from pg_class where relname in ('pwned', 'alembic_version')") == [(0,)]


@pytest.mark.parametrize("id_", ["../../../evil", "/tmp/evil", "a" * 33, "a%(b)s"])
def test_an_id_given_to_plain_alembic_leads_to_no_file_elsewhere(migrated: Project, id_: str) -> None:
    """S09: Alembic itself falls over the folder of the first one."""
    before = set(migrated.path.parent.rglob("*.py"))

    # Alembic leaves a traceback where the system keeps what is temporary.
    done = migrated.alembic("revision", "-m", "evil", "--rev-id", id_, env={"TMPDIR": str(migrated.path.parent)})

    assert done.code != 0
    assert id_.startswith("..") or "error: --rev-id: the revision id" in done.stderr
    assert set(migrated.path.parent.rglob("*.py")) == before


def test_an_unknown_revision_in_the_database_is_a_newer_checkout_or_another_project(migrated: Project) -> None:
    """F13."""
    query(migrated, "update alembic_version set version_num = 'fadedfadedfa'")

    found = ask(migrated, "migrate", "migrate --plan", "rollback", "status", "history")

    for task in ("migrate", "migrate --plan", "rollback"):
        assert refusal(found[task]).startswith(
            "the database is at revision fadedfadedfa, which has no file here: a newer"
        )
    assert found["status"]["result"]["place"] == "foreign"
    assert found["history"]["result"]["unknown"] == ["fadedfadedfa"]
    assert current(migrated) == ["fadedfadedfa"]


@pytest.mark.parametrize("how", ["def", "computed id"])
def test_no_reading_task_runs_a_revision(migrated: Project, how: str) -> None:
    """S17: an id that only running the file would tell is refused by what only looks."""
    trace = migrated.path / "trace"
    head = next((migrated.path / VERSIONS).glob(f"*{HEAD}*"))
    text = f"open({str(trace)!r}, 'w').close()\n" + head.read_text()
    head.write_text(text if how == "def" else text.replace(f'= "{HEAD}"', f'= str("{HEAD}")'))

    found = ask(migrated, *(READING if how == "def" else READING[:4]))

    assert not trace.exists()
    if how == "def":
        assert all(each["ok"] for each in found.values())
    else:
        assert {refusal(each).split(": ")[1] for each in found.values()} == {
            "its id or a parent's is no plain string, and this task runs no revision to find out"
        }


@pytest.mark.parametrize("start", ["", "a whole header"])
def test_a_file_of_a_gibibyte_is_refused_without_being_read(migrated: Project, start: str) -> None:
    """S33."""
    path = write_revision(migrated, LEFT, "pass")
    with (migrated.path / path).open("r+b") as file:
        if not start:
            file.truncate(0)
        file.truncate(1 << 30)

    found = ask(migrated, *READING, memory_mib=700, timeout=20)

    assert {refusal(each) for each in found.values()} == {
        f"{path}, line 1: it is 1,024 MiB long, and a revision has at most 16"
    }


DEEP = {
    "brackets": "x = " + "(" * 10_000 + ")" * 10_000,
    "signs": "x = " + "-" * 10_000 + "1",
    "sum": "x = " + "1+" * 10_000 + "1",
    "lambdas": "x = " + "lambda:" * 9_000 + "1",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_what_is_nested_too_deeply_is_refused_in_the_head_and_below_it(migrated: Project, text: str) -> None:
    """S33: a parent in brackets, so that the head must be parsed."""
    path = write_revision(migrated, LEFT, "pass", down=(HEAD,))
    file = migrated.path / path
    whole = file.read_text()

    file.write_text(whole.replace("revision =", f"{text}\nrevision =", 1))
    above = ask(migrated, *READING)
    file.write_text(whole + text + "\n")
    below = ask(migrated, "status", "migrate")

    assert all("nested" in refusal(each) and refusal(each).startswith(path) for each in above.values())
    assert below["status"]["ok"]
    assert "nested" in refusal(below["migrate"])


def test_as_deep_as_the_parser_goes_is_read_without_falling_over(migrated: Project) -> None:
    """S33: deeper than Python may call, and Alembic imports it."""
    write_revision(migrated, LEFT, "x = " + "1+" * 1_500 + "1")

    assert ask(migrated, "migrate")["migrate"]["ok"]


def test_twenty_thousand_files_are_read_in_bounded_time_and_memory(migrated: Project) -> None:
    """S33."""
    folder, count = migrated.path / VERSIONS, 20_000
    for number in range(count):
        down = f"'c{number - 1}'" if number else repr(HEAD)
        (folder / f"c{number}.py").write_text(f"revision = 'c{number}'\ndown_revision = {down}\ndef upgrade(): pass\n")

    found = ask(migrated, "status", memory_mib=700, timeout=30)

    assert len(found["status"]["result"]["pending"]) == count
    assert found["status"]["result"]["heads"] == [f"c{count - 1}"]


@pytest.mark.parametrize("task", ["backup", "restore", "mark"])
def test_what_does_not_ask_for_the_history_works_although_a_revision_is_broken(migrated: Project, task: str) -> None:
    """F09: marks of a merge in a header, at night, and a backup is to be made or brought back."""
    made = answer(migrated.invoke("backup", "--json").stdout)["result"]["backup"]["name"]
    broken = migrated.path / write_revision(migrated, "aaaa00000001", "pass")
    broken.write_text("<<<<<<< HEAD\n" + broken.read_text())

    done = migrated.invoke(task, *([made, "--yes"] if task == "restore" else []))

    assert done.code == 0, done.stderr


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_refused_and_not_opened(migrated: Project, kind: str) -> None:
    """F10: to open a named pipe is to wait for somebody who writes into it."""
    place = migrated.path / VERSIONS / "x.py"
    place.mkdir() if kind == "folder" else os.mkfifo(place)

    found = ask(migrated, "status", "migrate")
    plain = migrated.alembic("upgrade", "head", timeout=20)

    said = f"{VERSIONS}/x.py is no regular file"
    assert [refusal(found[task]) for task in ("status", "migrate")] == [said, said]
    assert plain.code != 0
    assert said in plain.stdout + plain.stderr
