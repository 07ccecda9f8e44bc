"""`migrate` on histories with several heads, and on files that are not as they should be."""

from __future__ import annotations

import pytest

from tests.commands.support import HEAD, answer, current, has_table, write_revision
from tests.servers import Project

LEFT, RIGHT, MERGE = "aaaa00000001", "bbbb00000001", "cccc00000001"


def two_heads(project: Project) -> None:
    """Fork the history after head."""
    write_revision(
        project, LEFT, "op.create_table('lefts', sa.Column('id', sa.Integer))", downgrade="op.drop_table('lefts')"
    )
    write_revision(
        project, RIGHT, "op.create_table('rights', sa.Column('id', sa.Integer))", downgrade="op.drop_table('rights')"
    )


def test_two_heads_are_both_applied_when_that_is_said(migrated: Project) -> None:
    two_heads(migrated)

    done, again = migrated.invoke("migrate", "--target", "heads"), migrated.invoke("migrate")

    assert (done.code, again.code) == (0, 0), done.stderr
    assert current(migrated) == [LEFT, RIGHT]
    assert "nothing to do" in again.stdout


def test_one_of_two_heads_is_applied_by_name(migrated: Project) -> None:
    two_heads(migrated)

    done = migrated.invoke("migrate", "--target", "bbbb")

    assert done.code == 0, done.stderr
    assert current(migrated) == [RIGHT]
    assert not has_table(migrated, "lefts")


def test_head_is_refused_where_there_are_two(migrated: Project) -> None:
    two_heads(migrated)

    done = migrated.invoke("migrate", "--target", "head")

    assert done.code == 3
    assert f"there are 2 heads after {HEAD}; nothing was run\n  {LEFT}:" in done.stderr
    assert "`invoke heads.merge` joins them" in done.stderr
    assert current(migrated) == [HEAD]


def test_a_merge_joins_what_was_applied_apart(migrated: Project) -> None:
    two_heads(migrated)
    migrated.invoke("migrate", "--target", "heads")
    merged = migrated.alembic("merge", "heads", "-m", "merge both", "--rev-id", MERGE)

    done = migrated.invoke("migrate")

    assert merged.code == 0, merged.stderr
    assert done.code == 0, done.stderr
    assert current(migrated) == [MERGE]


@pytest.mark.parametrize("task", ["migrate", "status", "history", "heads"])
def test_a_file_with_a_syntax_error_in_its_head_is_named_with_its_line(migrated: Project, task: str) -> None:
    path = write_revision(migrated, LEFT, "pass")
    (migrated.path / path).write_text('"""broken"""\n\nrevision = "aaaa00000001\ndown_revision = None\n')

    done = migrated.invoke(task)

    assert done.code == 3
    assert done.stderr.startswith(f"error: {path}, line 3, column 12: unterminated string literal")


def test_a_file_that_breaks_below_its_head_is_named_with_its_line(migrated: Project) -> None:
    path = write_revision(migrated, LEFT, "op.execute('select 1'")

    done = migrated.invoke("migrate")

    assert done.code == 3
    assert done.stderr.startswith(f"error: {path}, line 11, column 15: '(' was never closed")
    assert current(migrated) == [HEAD]


def test_a_file_that_imports_what_is_not_there_is_named_with_its_line(migrated: Project) -> None:
    path = write_revision(migrated, LEFT, "pass")
    file = migrated.path / path
    file.write_text(file.read_text().replace("import sqlalchemy as sa", "import sqlalchemy as sa\nimport not_there"))

    done = migrated.invoke("migrate")

    assert done.code == 3
    assert done.stderr.startswith(f"error: {path}, line 4: ModuleNotFoundError: No module named 'not_there'")


def test_an_id_that_is_no_literal_is_left_to_alembic(migrated: Project) -> None:
    path = write_revision(migrated, LEFT, "op.create_table('lefts', sa.Column('id', sa.Integer))")
    file = migrated.path / path
    file.write_text(file.read_text().replace(f"revision = '{LEFT}'", f"revision = '{LEFT}'.lower()", 1))

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    assert current(migrated) == [LEFT]


def test_a_parent_without_a_file_is_named(migrated: Project) -> None:
    path = write_revision(migrated, LEFT, "pass", down="fadefadefade")

    done = migrated.invoke("migrate")

    assert done.code == 3
    assert done.stderr.startswith(f"error: {path} follows revision fadefadefade, and no file has it")


def test_an_env_py_that_does_not_call_run_is_refused_with_the_lines_to_paste(migrated: Project) -> None:
    (migrated.path / "migrations/alembic/env.py").write_text(
        "from alembic import context\n\ncontext.run_migrations()\n"
    )

    done = migrated.invoke("migrate")

    assert done.code == 3
    assert "migrations/alembic/env.py does not call `stillroom.env.run`" in done.stderr
    assert done.stderr.endswith(
        "from models import SQLModel\nfrom stillroom.env import run\n\nrun(SQLModel.metadata)\n"
    )


def test_models_that_do_not_import_are_named_with_their_line(migrated: Project) -> None:
    write_revision(migrated, LEFT, "pass")
    (migrated.path / "src/models/todos.py").write_text("import not_there\n")

    done = migrated.invoke("migrate")

    assert done.code == 3
    assert done.stderr.startswith(
        "error: src/models/todos.py, line 1: ModuleNotFoundError: No module named 'not_there'"
    )


def test_the_json_names_the_broken_file(migrated: Project) -> None:
    write_revision(migrated, LEFT, "pass", down="fadefadefade")

    done = migrated.invoke("migrate", "--json")

    assert answer(done.stdout)["error"]["kind"] == "refused"
