"""`doctor`: settings, files and models, and that it goes on without a database; what it finds there is in a file of its own."""

from __future__ import annotations

import ast
import re
import subprocess
import time

import pytest

from stillroom.commands import _checkup_project
from stillroom.commands._checkup import Ground
from stillroom.edges.scripts import read_layout
from stillroom.edges.terminal import Terminal
from stillroom.settings import load
from tests.commands.examining import examine
from tests.commands.support import HEAD, TIMEZONE, current, interrupt, launch, query, until, write_revision
from tests.servers import ROOT, Project

VERSIONS = "migrations/alembic/versions"
NOBODY = {"DATABASE_URL": "postgresql://app:gehe1m@127.0.0.1:1/shop"}


def git(project: Project, *args: str) -> None:
    """Run git in the project, as somebody."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run(["git", *who, *args], cwd=project.path, check=True, capture_output=True)


def test_a_database_at_head_is_well_and_looking_twice_is_the_same(migrated: Project) -> None:
    before = query(migrated, "select count(*), max(oid) from pg_class")

    first, second = migrated.invoke("doctor"), migrated.invoke("doctor")

    assert (first.code, first.stderr, first.stdout) == (0, "", second.stdout)
    lines = first.stdout.splitlines()
    assert lines[-1].endswith(": all well")
    assert [line.split()[1] for line in lines if line.startswith("ok ")] == [
        "settings:", "history:", "models:", "connection:", "tls:", "server-version:", "libpq-version:", "pg-dump-version:", "current:", "ledger:",
    ]  # fmt: skip
    assert f"ok       current: at head, {HEAD}" in lines
    assert (query(migrated, "select count(*), max(oid) from pg_class"), current(migrated)) == (before, [HEAD])


def test_problems_stand_last_and_the_last_line_counts_them(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "pass", down=TIMEZONE)
    (migrated.path / ".env").write_text("EDITOR=nano\n")
    (migrated.path / ".env").chmod(0o644)

    done = migrated.invoke("doctor")

    lines = done.stdout.splitlines()
    assert done.code == 6
    assert [line.split()[0] for line in lines[-3:-1]] == ["warning", "problem"]
    assert lines[-1].endswith(": 1 problem, 1 warning: several-heads, dotenv-readable")


def test_the_settings_that_are_given_are_named_with_their_sources(migrated: Project) -> None:
    (migrated.path / ".env").write_text("STILLROOM_WAIT_S=5\nSTILLROOM_NONSENSE=1\n")
    (migrated.path / ".env").chmod(0o600)

    seen = examine(migrated)

    message = seen.of("settings")[1]
    assert "DATABASE_URL: " in message
    assert "(environment)" in message
    assert "STILLROOM_WAIT_S (.env line 1)" in message
    assert "STILLROOM_NONSENSE" in seen.of("settings-note")[1]


def test_without_a_database_the_error_is_a_finding_and_the_rest_is_looked_at(project: Project) -> None:
    """S03: and the password is nowhere."""
    write_revision(project, "aaaa00000001", "pass", down=TIMEZONE)

    status, seen = project.invoke("status", env=NOBODY), examine(project, NOBODY)

    severity, message, hint = seen.of("connection")
    assert status.stderr == f"error: {message}\nhint:  {hint}\n"
    assert (severity, seen.code) == ("problem", 6)
    assert seen.names("problem") == ["several-heads", "connection"]
    assert {"models", "settings"} <= set(seen.names("ok"))
    assert "backup-missing" in seen.names("warning")
    assert "gehe1m" not in seen.stdout + seen.stderr


def test_an_embedded_server_that_cannot_run_is_a_finding(project: Project) -> None:
    done = project.invoke("doctor", env={"STILLROOM_PG_BIN": "migrations"})

    lines = done.stdout.splitlines()
    assert done.code == 6, done.stderr
    assert lines[-2].startswith("problem  connection: ")
    assert lines[-1] == "no database: 1 problem: connection"


def test_a_broken_revision_hides_what_its_tables_would_tell(migrated: Project) -> None:
    """Beside a version table without a row neither "empty" nor "no revision is recorded" can be said."""
    query(migrated, "truncate alembic_version")
    path = next((migrated.path / VERSIONS).glob(f"*{HEAD}*"))
    path.write_text(path.read_text() + "\ndef broken(:\n")

    seen = examine(migrated)

    assert seen.names("problem") == ["revision-broken"]
    assert not {"empty", "version-table"} & {name for _, name, _, _ in seen.findings}


def test_each_revision_that_does_not_parse_is_named(migrated: Project) -> None:
    body = write_revision(migrated, "aaaa00000001", "pass")
    with (migrated.path / body).open("a") as file:
        file.write("\ndef broken(:\n")
    head = f"{VERSIONS}/20260301_0000_bbbb00000001_step.py"
    (migrated.path / head).write_text("revision = (\n")

    seen = examine(migrated)

    broken = [
        message for severity, name, message, _ in seen.findings if (severity, name) == ("problem", "revision-broken")
    ]
    assert [message.split(",")[0] for message in broken] == [body, head]
    assert "connection" in seen.names("ok")
    assert "current" not in seen.names("ok")


def test_a_history_that_is_no_sound_graph_and_an_id_that_only_python_knows(migrated: Project) -> None:
    path = migrated.path / write_revision(migrated, "aaaa00000001", "pass", down="faded0000000")
    lost = examine(migrated).of("history-broken")
    path.write_text(path.read_text().replace("'aaaa00000001'", "'aaaa' + '00000001'").replace("faded0000000", HEAD))
    computed = examine(migrated).of("revision-id")

    assert (lost[0], "faded0000000, and no file has it" in lost[1]) == ("problem", True)
    assert (computed[0], computed[2]) == ("problem", "write both as plain strings")


def test_an_env_that_goes_past_us_is_a_finding_with_the_lines_to_paste(migrated: Project) -> None:
    (migrated.path / "migrations/alembic/env.py").write_text("print('mine')\n")

    severity, message, hint = examine(migrated).of("project-files")

    assert (severity, "does not call `stillroom.env.run`" in message) == ("problem", True)
    assert "from stillroom.env import run; run(SQLModel.metadata)" in hint


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (
            "\nimport nonsense_that_is_nowhere\n",
            "models-import",
            "src/models/users.py, line {line}: ModuleNotFoundError",
        ),
        ("\nraise SystemExit(0)\n", "models-import", "src/models/users.py, line {line}: SystemExit"),
        ("\nimport os\nos._exit(3)\n", "models-import", "left the process with exit code 3"),
        ("\ndef broken(:\n", "models-import", "src/models/users.py, line {line}, column "),
    ],
    ids=["missing module", "exit", "leaves the process", "syntax"],
)
def test_models_that_do_not_import_are_named_with_file_and_line(
    migrated: Project, text: str, name: str, said: str
) -> None:
    path = migrated.path / "src/models/users.py"
    line = path.read_text().count("\n") + 2
    path.write_text(path.read_text() + text)

    seen = examine(migrated)

    severity, message, _ = seen.of(name)
    assert (severity, said.format(line=line) in message) == ("problem", True), message
    assert "current" in seen.names("ok")


def test_models_without_tables_are_named(migrated: Project) -> None:
    (migrated.path / "src/models/__init__.py").write_text("from sqlmodel import SQLModel\n")

    severity, message, _ = examine(migrated).of("models-empty")

    assert (severity, "src/models/users.py" in message) == ("problem", True)


def test_no_revision_is_imported(migrated: Project) -> None:
    """S17."""
    marker = migrated.path / "ran"
    path = migrated.path / write_revision(migrated, "aaaa00000001", "pass")
    path.write_text(path.read_text() + f"\nopen({str(marker)!r}, 'w')\n")

    seen = examine(migrated)

    assert seen.of("behind")[0] == "info"
    assert not marker.exists()


@pytest.mark.parametrize("text", ["while True: pass\n", "import time; time.sleep(600)\n"], ids=["loops", "sleeps"])
def test_models_that_hang_are_stopped(project: Project, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (project.path / "src/models/users.py").write_text(text)
    monkeypatch.setattr(_checkup_project, "LONGEST_IMPORT_S", 1.0)
    settings = load(project.path)

    started = time.monotonic()
    found = list(
        _checkup_project.check_models(Ground(settings, Terminal(is_interactive=False), read_layout(project.path)))
    )

    assert [(each.severity, each.name) for each in found] == [("problem", "models-hang")]
    assert time.monotonic() - started < 20


def test_ctrl_c_while_the_models_are_imported_is_one_line_and_130(migrated: Project) -> None:
    marker = migrated.path / "importing"
    (migrated.path / "src/models/users.py").write_text(f"open({str(marker)!r}, 'w')\nimport time\ntime.sleep(600)\n")
    process = launch(migrated, "doctor")
    until(marker.exists)

    stopped = interrupt(process)

    assert (stopped.code, stopped.stdout) == (130, "")
    assert stopped.stderr.count("\n") == 2, stopped.stderr
    assert stopped.stderr.startswith("error: interrupted; ")


@pytest.mark.parametrize(
    ("mode", "name", "severity"),
    [
        (0o600, None, None),
        (0o640, "dotenv-readable", "warning"),
        (0o644, "dotenv-readable", "warning"),
        (0o620, "dotenv-readable", "warning"),
        (0o666, "dotenv-writable", "problem"),
    ],
    ids=["0600", "0640", "0644", "0620", "0666"],
)
def test_an_env_file_that_others_can_read_or_write_is_named(
    migrated: Project, mode: int, name: str | None, severity: str | None
) -> None:
    """S06."""
    (migrated.path / ".env").write_text("EDITOR=nano\n")
    (migrated.path / ".env").chmod(mode)

    seen = examine(migrated)

    found = [(each[1], each[0], each[3]) for each in seen.findings if each[1].startswith("dotenv")]
    assert found == ([(name, severity, "`chmod 600 .env`")] if name else [])


def test_an_env_file_that_git_tracks_is_a_problem(migrated: Project) -> None:
    """S06: one that git ignores, or does not know, is none."""
    (migrated.path / ".env").write_text("EDITOR=nano\n")
    (migrated.path / ".env").chmod(0o600)
    git(migrated, "init", "-q")
    untracked = examine(migrated)
    git(migrated, "add", "-f", ".env")

    severity, _, hint = examine(migrated).of("dotenv-tracked")

    assert "dotenv-tracked" not in untracked.names("problem")
    assert (severity, hint.startswith("`git rm --cached .env`")) == ("problem", True)


def test_folders_that_others_can_write_or_read_are_named(migrated: Project) -> None:
    """S06, S16, S18: the revisions, which are run, and the backups, which hold everything."""
    backups = migrated.path / "backups"
    backups.mkdir(mode=0o700)
    closed = examine(migrated)
    backups.chmod(0o755)
    (migrated.path / VERSIONS).chmod(0o777)

    seen = examine(migrated)

    assert not {"migrations-mode", "backups-mode"} & set(closed.names("warning"))
    assert (seen.of("migrations-mode")[0], seen.of("migrations-mode")[2]) == ("warning", f"`chmod o-w {VERSIONS}`")
    assert (seen.of("backups-mode")[0], seen.of("backups-mode")[2]) == ("warning", "`chmod go= backups`")


def test_status_says_in_one_line_what_a_glance_shows(migrated: Project) -> None:
    """The last line and the exit code stay what they are."""
    plain = migrated.invoke("status", "--exit-code")
    (migrated.path / ".env").write_text("EDITOR=nano\n")
    (migrated.path / ".env").chmod(0o666)
    query(migrated, "alter table users add constraint later check (email <> '') not valid")

    done, as_json = migrated.invoke("status", "--exit-code"), migrated.invoke("status", "--json")

    assert "doctor" not in plain.stdout
    assert done.code == 0
    assert done.stdout.splitlines()[:-2] == plain.stdout.splitlines()[:-1]
    assert done.stdout.splitlines()[-2:] == [
        "doctor    1 problem, 1 warning at a glance: `invoke doctor`",
        "at head, nothing pending",
    ]
    assert ('"problems": 1' in as_json.stdout, '"warnings": 1' in as_json.stdout) == (True, True)


def test_the_page_explains_every_name() -> None:
    page = (ROOT / "docs/commands/doctor.md").read_text("utf-8")
    places = {"Finding": 1, "from_error": 0}
    made = {
        name.value
        for path in sorted((ROOT / "src/stillroom").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in places
        if len(node.args) > 1 and isinstance(name := node.args[places[node.func.id]], ast.Constant)
    }

    assert made == set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))
