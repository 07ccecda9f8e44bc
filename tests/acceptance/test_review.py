"""The review in a real terminal, with editors that edit, fail, truncate and return at once."""

from __future__ import annotations

import json
import os

import pytest

from tests.acceptance.reviewing import AGAIN, CHOICES, finish, log_of, make_editor, start
from tests.commands.revisions import add_model, bring_to_head, columns, drafts, edit_model, execute, files, newest
from tests.servers import Project


@pytest.fixture
def changed(project_on_database: Project) -> Project:
    """A project at head whose models have one table more."""
    bring_to_head(project_on_database)
    add_model(project_on_database)
    return project_on_database


def test_without_an_editor_the_draft_is_shown_and_accepted(changed: Project) -> None:
    before = files(changed)

    child = start(changed, "-m", "Add notes")
    child.expect(CHOICES)
    shown = child.before.replace("\r\n", "\n")
    child.sendline("a")
    code, rest = finish(child)

    made = newest(changed)
    assert code == 0, rest
    assert len(files(changed)) == len(before) + 1
    for part in (
        "operations\n    create_table notes",
        "upgrade\n    CREATE TABLE notes",
        "downgrade\n    DROP TABLE notes;",
        "not compared: CHECK constraints that have no name",
    ):
        assert part in shown
    assert "unreviewed" not in made.read_text()
    assert rest.splitlines()[-1] == f"git add migrations/alembic/versions/{made.name}"
    assert drafts(changed) == []


def test_discarding_ends_with_0_and_leaves_nothing(changed: Project) -> None:
    before = files(changed)

    child = start(changed, "-m", "Add notes")
    child.expect(CHOICES)
    child.sendline("d")
    code, rest = finish(child)

    assert code == 0
    assert "no revision was made" in rest
    assert (files(changed), drafts(changed)) == (before, [])


def test_accept_and_migrate_does_both(changed: Project) -> None:
    child = start(changed, "-m", "Add notes")
    child.expect(CHOICES)
    child.sendline("m")
    code, rest = finish(child)

    assert code == 0, rest
    assert columns(changed, "notes") == ["body", "id"]
    assert "1 revision applied" in rest
    assert rest.splitlines()[-1].startswith("git add ")


def test_a_configured_editor_opens_at_once_and_its_changes_are_shown(changed: Project) -> None:
    log = log_of(changed)
    editor = make_editor(
        changed,
        f"Path({str(log)!r}).write_text(repr(sys.argv[1:-1]))\npath.write_text(text.replace('length=500', 'length=777'))",
    )

    child = start(changed, "-m", "Add notes", EDITOR=f"{editor} -n 'two words'")
    child.expect("opening .stillroom/drafts/")
    child.expect(CHOICES)
    shown = child.before
    child.sendline("accept")
    code, rest = finish(child)

    assert code == 0, rest
    assert log.read_text() == "['-n', 'two words']"
    assert "VARCHAR(777)" in shown
    assert "length=777" in newest(changed).read_text()


def test_visual_wins_over_editor_and_no_edit_opens_neither(changed: Project) -> None:
    log = log_of(changed)
    editor = make_editor(changed, f"Path({str(log)!r}).write_text(sys.argv[1])")
    chosen = {"VISUAL": f"{editor} visual", "EDITOR": f"{editor} editor"}

    child = start(changed, "-m", "Add notes", "--no-edit", **chosen)
    child.expect(CHOICES)
    assert not log.exists()
    child.sendline("e")
    child.expect(CHOICES)
    child.sendline("d")

    assert finish(child)[0] == 0
    assert log.read_text() == "visual"


def test_gits_editor_opens_where_no_other_is_set(changed: Project) -> None:
    log = log_of(changed)
    editor = make_editor(changed, f"Path({str(log)!r}).write_text('opened')")
    assert changed.run("git", "init", "-q").code == 0
    assert changed.run("git", "config", "core.editor", editor).code == 0

    child = start(changed, "-m", "Add notes")
    child.expect(CHOICES)
    child.sendline("d")

    assert finish(child)[0] == 0
    assert log.read_text() == "opened"


def test_without_an_editor_the_draft_can_be_edited_elsewhere(changed: Project) -> None:
    child = start(changed, "-m", "Add notes")
    child.expect(CHOICES)
    (name,) = drafts(changed)
    draft = changed.path / ".stillroom" / "drafts" / name
    draft.write_text(draft.read_text().replace("length=500", "length=777"))
    child.sendline("e")
    child.expect("no editor is configured")
    child.expect(r"VARCHAR\(777\)")
    child.expect(CHOICES)
    child.sendline("a")

    assert finish(child)[0] == 0
    assert "length=777" in newest(changed).read_text()


def test_a_spoilt_file_is_shown_and_edited_again(changed: Project) -> None:
    editor = make_editor(
        changed,
        "if 'broken(' in text:\n    path.write_text(text.replace('broken(', ''))\n"
        "else:\n    path.write_text(text.replace('def upgrade', 'broken(def upgrade'))",
    )

    child = start(changed, "-m", "Add notes", EDITOR=editor)
    child.expect("problem: line [0-9]+: it does not compile")
    child.expect(AGAIN)
    child.sendline("a")
    child.expect("one of: e, d")
    child.expect(AGAIN)
    child.sendline("e")
    child.expect(CHOICES)
    child.sendline("a")
    code, rest = finish(child)

    assert code == 0, rest
    assert "broken(" not in newest(changed).read_text()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "path.write_text(text.replace('down_revision: str | Sequence[str] | None = \\'7d20', 'down_revision = \\'ffff'))",
            "must stay",
        ),
        ("path.write_text(text.replace('def downgrade', 'def other'))", r"downgrade\(\) is gone"),
        ("path.write_text(text.replace('op.drop_table(', 'op.drop_constraint(None, '))", r"drop_constraint\(None"),
        (
            "path.write_text(text.replace('import sqlalchemy as sa', 'import no_such_module'))",
            "No module named 'no_such_module'",
        ),
        ("path.write_text(text + '\\nraise SystemExit(9)')", "SystemExit"),
    ],
    ids=["parent", "downgrade", "unnamed", "import", "leaves"],
)
def test_what_an_editor_must_not_do_is_named(body: str, said: str, changed: Project) -> None:
    before = files(changed)

    child = start(changed, "-m", "Add notes", EDITOR=make_editor(changed, body))
    child.expect(said)
    child.expect(AGAIN)
    child.sendline("d")

    assert finish(child)[0] == 0
    assert (files(changed), drafts(changed)) == (before, [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit(3)", "ended with 3; the draft is kept"),
        ("path.write_text('')", "left an empty file, or none; the draft is kept"),
        ("path.unlink()", "left an empty file, or none; the draft is kept"),
        ("os.kill(os.getpid(), 9)", "ended with -9; the draft is kept"),
    ],
    ids=["fails", "empties", "deletes", "dies"],
)
def test_an_editor_that_fails_is_5_and_the_draft_is_kept_whole(body: str, said: str, changed: Project) -> None:
    """F59."""
    before = files(changed)

    child = start(changed, "-m", "Add notes", EDITOR=make_editor(changed, body))
    code, rest = finish(child)

    (kept,) = drafts(changed)
    assert code == 5, rest
    assert said in rest
    assert kept in rest
    assert "op.create_table('notes'" in (changed.path / ".stillroom" / "drafts" / kept).read_text()
    assert files(changed) == before


@pytest.mark.parametrize(
    "editor", ["no-such-editor", "sh; touch y", "'open"], ids=["unknown", "injection", "open quote"]
)
def test_an_editor_that_cannot_be_found_is_5_and_runs_nothing(editor: str, changed: Project) -> None:
    """F59, S14."""
    child = start(changed, "-m", "Add notes", VISUAL=editor)
    code, rest = finish(child)

    assert code == 5, rest
    assert "the draft is kept" in rest
    assert len(drafts(changed)) == 1
    assert not (changed.path / "y").exists()


def test_ctrl_c_at_the_prompt_keeps_the_draft_and_is_130(changed: Project) -> None:
    before = files(changed)

    child = start(changed, "-m", "Add notes")
    child.expect(CHOICES)
    child.sendintr()
    code, rest = finish(child)

    (kept,) = drafts(changed)
    assert code == 130, rest
    assert kept in rest
    assert files(changed) == before


def test_ctrl_c_in_an_editor_that_dies_of_it_keeps_the_draft(changed: Project) -> None:
    editor = make_editor(
        changed, "signal.signal(signal.SIGINT, signal.SIG_DFL)\nprint('ready', flush=True)\ntime.sleep(60)"
    )

    child = start(changed, "-m", "Add notes", EDITOR=editor)
    child.expect("ready")
    child.sendintr()
    code, rest = finish(child)

    assert code == 130, rest
    assert drafts(changed)[0] in rest


def test_ctrl_c_in_an_editor_that_uses_it_changes_nothing(changed: Project) -> None:
    editor = make_editor(
        changed, "signal.signal(signal.SIGINT, lambda *_: sys.exit(0))\nprint('ready', flush=True)\ntime.sleep(60)"
    )

    child = start(changed, "-m", "Add notes", EDITOR=editor)
    child.expect("ready")
    child.sendintr()
    child.expect(CHOICES)
    child.sendline("d")

    assert finish(child)[0] == 0


@pytest.mark.parametrize("is_in_editor", [False, True], ids=["at the prompt", "in the editor"])
def test_a_closed_terminal_keeps_the_draft(*, is_in_editor: bool, changed: Project) -> None:
    """F58."""
    before = files(changed)
    editor = make_editor(changed, "print('ready', flush=True)\ntime.sleep(60)")

    child = start(changed, "-m", "Add notes", **({"EDITOR": editor} if is_in_editor else {}))
    child.expect("ready" if is_in_editor else CHOICES)
    os.close(child.child_fd)

    assert child.wait() == 130
    assert len(drafts(changed)) == 1
    assert files(changed) == before


def test_the_end_of_input_does_not_ask_for_ever(changed: Project) -> None:
    child = start(changed, "-m", "Add notes")
    for _ in range(5):
        child.expect(CHOICES)
        child.sendeof()
    code, rest = finish(child)

    assert code == 130, rest
    assert len(drafts(changed)) == 1


def test_a_name_is_proposed_and_enter_takes_it(changed: Project) -> None:
    child = start(changed)
    child.expect(r"message \[create notes\]: ")
    child.sendline("")
    child.expect(CHOICES)
    child.sendline("a")

    assert finish(child)[0] == 0
    assert newest(changed).name.endswith("_create_notes.py")


def test_a_proposed_name_can_be_replaced(changed: Project) -> None:
    child = start(changed)
    child.expect(r"message \[create notes\]: ")
    child.sendline("Remember what was said")
    child.expect(CHOICES)
    child.sendline("a")

    assert finish(child)[0] == 0
    assert newest(changed).name.endswith("_remember_what_was_said.py")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("1", "    rename_column users.display_name to shown_name\n"),
        ("d", "operations\n  ! drop_column users.display_name  <- every value in it dies\n"),
    ],
    ids=["renamed", "dies"],
)
def test_a_likely_rename_is_asked_about_and_what_destroys_comes_first(
    changed: Project, answer: str, expected: str
) -> None:
    edit_model(changed, "users", "    display_name: str", "    shown_name: str")

    child = start(changed, "-m", "rename")
    child.expect("users.display_name goes and shown_name of the same shape comes")
    child.expect("which\\? ")
    child.sendline(answer)
    if answer == "d":
        child.expect("users.shown_name is NOT NULL and has no default")
        child.expect("value for them, as SQL: ")
        child.sendline("'no'; drop table users")
        child.expect("a semicolon in it; a value is one expression")
        child.expect("value for them, as SQL: ")
        child.sendline("'nobody'")
    child.expect(CHOICES)
    shown = child.before.replace("\r\n", "\n")
    child.sendline("d")

    assert finish(child)[0] == 0
    assert expected in shown
    assert "locks of the upgrade\n    users ACCESS EXCLUSIVE" in shown


def test_pending_revisions_are_offered_and_applied_first(changed: Project) -> None:
    assert changed.alembic("downgrade", "-1").code == 0

    child = start(changed, "-m", "Add notes")
    child.expect("1 revision pending: 7d20e85f6b13")
    child.expect(r"migrate it now\? \[y/N\] ")
    child.sendline("y")
    child.expect(CHOICES)
    child.sendline("a")
    code, rest = finish(child)

    assert code == 0, rest
    assert "'7d20e85f6b13'" in newest(changed).read_text()


def test_turning_the_offer_down_is_a_refusal(changed: Project) -> None:
    assert changed.alembic("downgrade", "-1").code == 0

    child = start(changed, "-m", "Add notes")
    child.expect(r"migrate it now\? \[y/N\] ")
    child.sendline("")
    code, rest = finish(child)

    assert code == 3, rest
    assert "is not up to date" in rest


def test_a_protected_database_is_not_offered_anything(changed: Project) -> None:
    assert changed.alembic("downgrade", "-1").code == 0
    execute(changed, "update stillroom.mark set environment = 'production'")

    code, rest = finish(start(changed, "-m", "Add notes"))

    assert code == 3
    assert "7d20e85f6b13" in rest
    assert "migrate it now" not in rest


def test_a_revision_that_came_in_meanwhile_makes_no_second_head(changed: Project) -> None:
    """F15."""
    child = start(changed, "-m", "Add notes")
    child.expect(CHOICES)
    assert changed.invoke("make-migration", "-m", "mine was first").code == 0
    child.sendline("a")
    code, rest = finish(child)

    assert code == 3, rest
    assert "came in while this one was reviewed" in rest
    assert len(drafts(changed)) == 1
    assert changed.alembic("heads").stdout.count("(head)") == 1


@pytest.mark.parametrize("flags", [["--json"], []], ids=["json", "CI"])
def test_json_and_ci_ask_nothing_in_a_terminal_either(flags: list[str], changed: Project) -> None:
    """F57: no prompt, and the editor is not opened."""
    editor = make_editor(changed, "time.sleep(60)")

    child = start(changed, "-m", "Add notes", *flags, EDITOR=editor, **({} if flags else {"CI": "true"}))
    code, rest = finish(child)

    assert code == 0, rest
    assert newest(changed).read_text().startswith("# stillroom: unreviewed\n")
    if flags:
        assert json.loads(rest.splitlines()[-1])["result"]["unreviewed"] is True


def test_an_empty_revision_is_written_in_the_editor(changed: Project) -> None:
    editor = make_editor(changed, "path.write_text(text.replace('    pass', '    op.execute(\"select 1\")', 1))")

    child = start(changed, "-m", "by hand", "--empty", EDITOR=editor)
    child.expect("! execute|SQL by hand|select 1")
    child.expect(CHOICES)
    child.sendline("a")

    assert finish(child)[0] == 0
    assert 'op.execute("select 1")' in newest(changed).read_text()
