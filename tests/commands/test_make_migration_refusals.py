"""What make-migration turns down: nothing may be written then."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stillroom.edges.versions_folder import locked
from tests.commands.revisions import VERSIONS, add_model, bring_to_head, drafts, execute, files, newest, use_only
from tests.commands.support import finish, launch, write_revision
from tests.servers import Project

EMPTY_MODELS = "from sqlmodel import SQLModel\n"


@pytest.fixture
def at_head(project_on_database: Project) -> Project:
    bring_to_head(project_on_database)
    return project_on_database


def test_pending_revisions_are_refused_without_a_terminal(project_on_database: Project) -> None:
    """F57."""
    bring_to_head(project_on_database)
    add_model(project_on_database)
    project_on_database.invoke("make-migration", "-m", "Add notes")
    before = files(project_on_database)

    done = project_on_database.invoke("make-migration", "-m", "again")

    assert done.code == 3
    assert "is not up to date; pending: " in done.stderr
    assert "Add notes" in done.stderr
    assert "`invoke migrate`" in done.stderr
    assert files(project_on_database) == before


def test_pending_revisions_on_a_protected_database_are_refused_and_named(project_on_database: Project) -> None:
    done = project_on_database.invoke("make-migration", "-m", "early")

    assert done.code == 3
    assert "the database is protected" in done.stderr
    assert "3f9c1a7be204 initial schema, abc123def456 add user timezone" in done.stderr


def test_several_heads_are_refused_and_named(at_head: Project) -> None:
    first = newest(at_head)
    other = first.read_text().replace("7d20e85f6b13", "ffffffffffff")
    first.with_name("20260114_0906_ffffffffffff_other.py").write_text(other)

    done = at_head.invoke("make-migration", "-m", "third")

    assert done.code == 3
    assert "there are 2 heads after abc123def456; which of them the new revision follows is not" in done.stderr
    assert "    7d20e85f6b13  index open tasks" in done.stderr
    assert "`invoke heads.merge`" in done.stderr


def test_a_database_ahead_of_the_checkout_is_refused(at_head: Project) -> None:
    newest(at_head).unlink()

    done = at_head.invoke("make-migration", "-m", "behind")

    assert done.code == 3
    assert "7d20e85f6b13, which has no file here" in done.stderr


def test_metadata_without_tables_is_refused_with_the_likely_cause(at_head: Project) -> None:
    (at_head.path / "src" / "models" / "__init__.py").write_text(EMPTY_MODELS)
    before = files(at_head)

    done = at_head.invoke("make-migration", "-m", "gone", "--allow", "drop-table")

    assert done.code == 3
    assert "has no tables" in done.stderr
    assert "not imported: " in done.stderr
    assert "src/models/users.py" in done.stderr
    assert "src/models/__init__.py" in done.stderr
    assert (files(at_head), drafts(at_head)) == (before, [])


def test_a_diff_that_only_drops_tables_is_refused_unless_it_is_meant(at_head: Project) -> None:
    package = at_head.path / "src" / "models" / "__init__.py"
    kept = [
        line
        for line in package.read_text().splitlines(keepends=True)
        if "conversations" not in line and "__all__" not in line
    ]
    package.write_text("".join(kept))

    refused = at_head.invoke("make-migration", "-m", "drop chat")
    meant = at_head.invoke("make-migration", "-m", "drop chat", "--allow", "drop-table")

    assert refused.code == 3
    assert "it would drop" in refused.stderr
    assert "not imported: src/models/conversations.py" in refused.stderr
    assert "`invoke make-migration -m 'drop chat' --allow drop-table`" in refused.stderr
    assert meant.code == 0, meant.stderr
    assert "op.drop_table('messages')" in newest(at_head).read_text()


def test_a_table_that_no_revision_made_is_not_dropped_along_with_other_changes(at_head: Project) -> None:
    add_model(at_head)
    execute(at_head, "create table other_log (at timestamptz, what jsonb); insert into other_log values (now(), null)")
    before = files(at_head)

    refused = at_head.invoke("make-migration", "-m", "notes")
    nothing = files(at_head)
    meant = at_head.invoke("make-migration", "-m", "notes", "--allow", "drop-table")

    assert (refused.code, nothing) == (3, before)
    assert "it would drop other_log; another tool's go into STILLROOM_UNMANAGED_TABLES" in refused.stderr
    assert "`invoke make-migration -m notes --allow drop-table`" in refused.stderr
    assert meant.code == 0, meant.stderr
    assert "op.drop_table('other_log')" in newest(at_head).read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from models.nope import x\n", "ModuleNotFoundError: No module named 'models.nope'"),
        ("def broken(:\n", "SyntaxError"),
        ("import os\nos._exit(3)\n", "left the process with exit code 3"),
        ("raise SystemExit(4)\n", "src/models/broken.py, line 1: SystemExit: 4"),
    ],
    ids=["missing", "syntax", "left", "system exit"],
)
def test_models_that_do_not_import_are_said_without_a_traceback(text: str, said: str, at_head: Project) -> None:
    add_model(at_head, text, name="broken")

    done = at_head.invoke("make-migration", "-m", "x")

    assert done.code == 3, done.stderr
    assert said in done.stderr
    assert "stillroom/commands" not in done.stderr


def test_a_versions_folder_that_leads_out_of_the_project_is_refused(at_head: Project, tmp_path: Path) -> None:
    """F17."""
    outside = tmp_path / "outside"
    shutil.move(at_head.path / VERSIONS, outside)
    (at_head.path / VERSIONS).symlink_to(outside)
    before = sorted(outside.glob("*.py"))
    add_model(at_head)

    done = at_head.invoke("make-migration", "-m", "Add notes")

    assert done.code == 3
    assert "migrations/alembic/versions leads out of the project" in done.stderr
    assert sorted(outside.glob("*.py")) == before


def test_a_file_template_that_leads_elsewhere_is_refused(at_head: Project) -> None:
    ini = at_head.path / "alembic.ini"
    ini.write_text(
        "".join(
            "file_template = ../../%%(rev)s\n" if line.startswith("file_template") else line
            for line in ini.read_text().splitlines(True)
        )
    )

    done = at_head.invoke("make-migration", "--empty", "-m", "evil")

    assert done.code == 2
    assert "leads out of the versions folder" in done.stderr


def test_eight_at_once_never_make_two_heads(at_head: Project) -> None:
    """F15."""
    add_model(at_head)
    before = files(at_head)

    with ThreadPoolExecutor(8) as pool:
        done = list(
            pool.map(lambda number: at_head.invoke("make-migration", "-m", f"by {number}", timeout=120), range(8))
        )

    assert sorted(each.code for each in done) == [0, 3, 3, 3, 3, 3, 3, 3]
    assert len(files(at_head)) == len(before) + 1
    # Whoever began after the first had ended finds its revision as one that is pending.
    said = [each.stderr for each in done if each.code]
    assert all("is not up to date" in each or "another make-migration has just written" in each for each in said)
    assert drafts(at_head) == []


@pytest.mark.parametrize("environment", ["development", ""])
def test_who_waited_for_another_run_is_told_what_it_wrote(at_head: Project, environment: str) -> None:
    """F15."""
    at_head.environment["APP_ENV"] = environment
    add_model(at_head)

    with locked(at_head.path, wait_s=1, say=print):
        process = launch(at_head, "make-migration", "-m", "mine")
        assert process.stderr is not None
        assert process.stderr.readline(), "it waits, and says so"
        write_revision(at_head, "aaaa00000001", "pass", message="theirs")
    code, _, stderr = finish(process)

    assert code == 3
    assert "another make-migration has just written aaaa00000001 theirs, which " in stderr
    assert "hint:  `invoke migrate`, then the same command again" in stderr
    assert "protected" not in stderr


def test_a_folder_that_may_not_be_written_is_refused(at_head: Project) -> None:
    """F17."""
    folder = at_head.path / VERSIONS
    folder.chmod(0o555)
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from stillroom.edges.versions_folder import require_folder\nfrom stillroom.errors import RefusedError\n"
        "os.geteuid() == 0 and os.setuid(65534)\n"
        "try:\n    require_folder(Path(sys.argv[1]), Path(sys.argv[2]))\nexcept RefusedError as error:\n    print(error.message)\n"
    )

    for each in (at_head.path, *at_head.path.parents):
        if each.owner() == at_head.path.owner() and each.stat().st_mode & 0o777 == 0o700:
            each.chmod(0o711)
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(at_head.path)], capture_output=True, text=True, check=True
    )

    assert done.stdout == "migrations/alembic/versions is not writable\n"


def test_a_first_revision_needs_neither_history_nor_tables(project_on_database: Project) -> None:
    use_only(
        project_on_database,
        "from sqlmodel import Field, SQLModel\n\n\nclass Note(SQLModel, table=True):\n    id: int | None = Field(default=None, primary_key=True)\n",
    )
    project_on_database.environment["APP_ENV"] = "development"

    done = project_on_database.invoke("make-migration", "-m", "Initial schema")

    assert done.code == 0, done.stderr
    assert len(files(project_on_database)) == 1
