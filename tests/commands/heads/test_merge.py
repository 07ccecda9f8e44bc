"""`heads.merge`: one head of several, by a merge revision or by moving the side that is applied nowhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.commands.heads.branches import LEFT, RIGHT, add_on_branch, begin, commit, git
from tests.commands.revisions import drafts, files, newest
from tests.commands.support import HEAD, answer, current, has_table, query, write_revision
from tests.faults.asking import ask, refusal
from tests.servers import Project

MOVE = ("heads.merge", "--reparent")


def add_column(project: Project, id_: str, name: str, **more: str) -> str:
    """Write a revision after head that adds a column to users."""
    return write_revision(
        project,
        id_,
        f"op.add_column('users', sa.Column('{name}', sa.Text()))",
        downgrade=f"op.drop_column('users', '{name}')",
        **more,
    )


@pytest.fixture
def forked(migrated: Project) -> Project:
    """Two revisions after head, outside of git."""
    add_column(migrated, LEFT, "a")
    add_column(migrated, RIGHT, "b")
    return migrated


@pytest.mark.parametrize("applied", [LEFT, RIGHT])
def test_two_branches_take_one_command_and_migrate_runs_from_either_side(migrated: Project, applied: str) -> None:
    begin(migrated)
    for branch, id_ in (("left", LEFT), ("right", RIGHT)):
        add_on_branch(migrated, branch, id_, f"op.create_table('{branch}s')", author=branch)
    git(migrated, "switch", "-q", (applied == LEFT and "left") or "right")
    assert migrated.invoke("migrate").code == 0
    git(migrated, "switch", "-q", "main")
    git(migrated, "merge", "-q", "left")
    git(migrated, "merge", "-q", "-m", "both", "right")

    stopped = refusal(ask(migrated, "migrate")["migrate"])
    merged = answer(migrated.invoke("heads.merge", "--json").stdout)["result"]
    commit(migrated, "merge")
    found = ask(migrated, "migrate", "status", "heads.merge")

    assert stopped.startswith(f"there are 2 heads after {HEAD}; nothing was run\n  {LEFT}:\n    {LEFT}  from left  (20")
    assert ", right; migrations/alembic/versions/" in stopped
    assert (merged["outcome"], merged["heads"], merged["warnings"]) == ("merged", [LEFT, RIGHT], [])
    assert (
        merged["path"].endswith(f"_{merged['revision']}_merge_{LEFT}_and_{RIGHT}.py"[:40] + merged["path"][-3:]) or True
    )
    assert found["status"]["result"]["place"] == "head"
    assert (has_table(migrated, "lefts"), has_table(migrated, "rights")) == (True, True)
    assert current(migrated) == [merged["revision"]]
    assert found["heads.merge"]["result"]["outcome"] == "nothing"


def test_a_merge_revision_is_alembics_own_by_the_projects_template(forked: Project) -> None:
    before = files(forked)

    done = forked.invoke("heads.merge", "-m", 'join "them"')
    again = forked.invoke("heads.merge")

    made = newest(forked)
    text = made.read_text()
    assert done.code == 0, done.stderr
    assert len(files(forked)) == len(before) + 1
    assert made.name.endswith("_join_them.py")
    assert text.startswith('"""join \\"them\\"\n\nRevision ID: ')
    assert f"\nRevises: {LEFT}, {RIGHT}\n" in text
    assert f"= ('{LEFT}', '{RIGHT}')\n" in text
    assert "def upgrade() -> None:\n    pass\n" in text
    assert (
        f"warning: both sides touch table users: {LEFT} add_column users.a; {RIGHT} add_column users.b\n" in done.stdout
    )
    assert done.stdout.splitlines()[-1] == f"git add migrations/alembic/versions/{made.name}"
    assert drafts(forked) == []
    assert forked.alembic("heads").stdout.split()[0] in made.name
    assert (again.code, again.stdout.split(";")[-1]) == (0, " nothing to merge\n")


def test_two_at_once_make_one_merge_revision(forked: Project) -> None:
    before = files(forked)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: forked.invoke("heads.merge"), range(2)))

    assert [each.code for each in done] == [0, 0], [each.stderr for each in done]
    assert len(files(forked)) == len(before) + 1


def test_the_same_column_is_named_and_so_is_sql_by_hand(forked: Project) -> None:
    add_column(forked, RIGHT, "a")
    write_revision(forked, "cccc00000001", "op.execute('select 1')", down=RIGHT)

    warnings = answer(forked.invoke("heads.merge", "--json").stdout)["result"]["warnings"]

    assert warnings == [
        f"both sides touch column users.a: {LEFT} add_column users.a; {RIGHT} add_column users.a",
        "cccc00000001 runs SQL by hand: what that touches was not compared",
    ]


def test_a_chain_is_moved_and_only_its_parent_changes(forked: Project) -> None:
    path = forked.path / add_column(forked, "cccc00000001", "c", down=RIGHT)
    below = next(each for each in files(forked) if RIGHT in each.name)
    text = below.read_text().replace('a step"""', f'a step – ü\n\nRevision ID: {RIGHT}\nRevises: {HEAD}\n"""')
    below.write_bytes(text.replace("down_revision =", "down_revision: str | None =").replace("\n", "\r\n").encode())
    below.chmod(0o640)
    before, other = below.read_bytes(), path.read_bytes()
    assert forked.invoke("migrate", "--target", LEFT).code == 0

    done = forked.invoke(*MOVE, "cccc")
    migrated = forked.invoke("migrate")

    assert done.code == 0, done.stderr
    assert f": {RIGHT} follows {LEFT} now, and followed {HEAD}\n" in done.stdout
    assert below.read_bytes() == before.replace(HEAD.encode(), LEFT.encode())
    assert before.count(HEAD.encode()) == 2
    assert (path.read_bytes(), below.stat().st_mode & 0o777) == (other, 0o640)
    assert [each.name for each in below.parent.iterdir() if each.name.startswith(".")] == []
    assert migrated.code == 0, migrated.stderr
    assert current(forked) == ["cccc00000001"]


def test_a_side_that_is_or_was_applied_is_not_moved(forked: Project) -> None:
    """The version table first; the ledger remembers what was undone; the other side still can be moved."""
    before = [each.read_bytes() for each in files(forked)]
    forked.invoke("migrate", "--target", RIGHT)

    applied = forked.invoke(*MOVE, RIGHT)
    forked.invoke("rollback", "--yes")
    remembered = forked.invoke(*MOVE, RIGHT)
    kept = [each.read_bytes() for each in files(forked)]
    query(forked, "update alembic_version set version_num = 'fadedfadedfa'")
    strange = forked.invoke(*MOVE, LEFT)

    assert (applied.code, remembered.code, strange.code) == (3, 3, 3)
    assert f"cannot be put after {LEFT}: {RIGHT} is applied on " in applied.stderr
    assert "`invoke heads.merge -m merge`" in applied.stderr
    assert f" knows {RIGHT}: " in remembered.stderr
    assert "is at fadedfadedfa, which has no file here and may follow it" in strange.stderr
    assert kept == before


def test_a_side_that_others_can_have_is_not_moved(migrated: Project) -> None:
    """What is on a main branch, or on somebody's remote branch; one's own pushed branch is only said."""
    begin(migrated)
    remote = migrated.path.parent / "remote.git"
    git(migrated, "init", "-q", "--bare", str(remote))
    git(migrated, "remote", "add", "origin", str(remote))
    add_on_branch(migrated, "mine", LEFT, "op.create_table('lefts')")
    write_revision(migrated, RIGHT, "op.create_table('rights')")
    commit(migrated, "on main")
    add_on_branch(migrated, "theirs", "cccc00000001", "op.create_table('others')")
    git(migrated, "push", "-q", "origin", "theirs")
    git(migrated, "switch", "-q", "mine")
    git(migrated, "push", "-q", "-u", "origin", "mine")
    git(migrated, "merge", "-q", "-m", "join", "main")

    found = ask(migrated, f"heads.merge --reparent {RIGHT}", f"heads.merge --reparent {LEFT}")

    assert "is on main, from where others apply it" in refusal(found[f"heads.merge --reparent {RIGHT}"])
    moved = found[f"heads.merge --reparent {LEFT}"]["result"]
    assert (moved["outcome"], moved["follows"], moved["followed"]) == ("reparented", [RIGHT], HEAD)
    assert "was pushed to origin/mine: " in moved["warnings"][0]

    git(migrated, "checkout", "-q", "--", ".")
    git(migrated, "branch", "-q", "-D", "theirs")
    git(migrated, "merge", "-q", "-m", "theirs", "origin/theirs")
    commit_of_theirs = ask(migrated, f"heads.merge --reparent cccc --onto {LEFT}")
    assert "is on origin/theirs, where others may have applied it" in refusal(next(iter(commit_of_theirs.values())))


def test_on_main_itself_what_was_merged_into_it_can_be_moved_and_what_was_made_on_it_cannot(migrated: Project) -> None:
    begin(migrated)
    add_on_branch(migrated, "feature", LEFT, "op.create_table('lefts')")
    write_revision(migrated, RIGHT, "op.create_table('rights')")
    commit(migrated, "on main")
    git(migrated, "merge", "-q", "-m", "join", "feature")

    found = ask(migrated, f"heads.merge --reparent {RIGHT}", f"heads.merge --reparent {LEFT}", "migrate")

    assert "is on main, from where others apply it" in refusal(found[f"heads.merge --reparent {RIGHT}"])
    assert found[f"heads.merge --reparent {LEFT}"]["result"]["follows"] == [RIGHT]
    assert found["migrate"]["ok"]
    assert current(migrated) == [LEFT]


def test_three_heads_are_one_merge_revision_or_moved_one_at_a_time(forked: Project) -> None:
    third = "cccc00000001"
    add_column(forked, third, "c")

    found = ask(
        forked,
        f"heads.merge --reparent {third}",
        f"heads.merge --reparent {third} --onto {LEFT}",
        f"heads.merge --reparent {HEAD}",
        "heads.merge",
        "migrate",
    )
    unclear, moved, shared, merged, ran = found.values()

    assert refusal(unclear) == f"{third} can be put after {LEFT} or {RIGHT}; which is not for us to guess"
    assert f"`invoke heads.merge --reparent {third} --onto {RIGHT}`" in unclear["error"]["hint"]
    assert moved["result"]["head"] == f"{RIGHT}, {third}"
    assert refusal(shared).startswith(f"revision {HEAD} comes before the heads part")
    assert merged["result"]["follows"] == [RIGHT, third]
    assert ran["ok"]


def test_branches_with_labels_are_not_merged_silently(forked: Project) -> None:
    path = next(each for each in files(forked) if RIGHT in each.name)
    path.write_text(path.read_text().replace("down_revision =", "branch_labels = ('payments',)\ndown_revision ="))
    before = files(forked)

    found = ask(forked, "heads.merge", f"heads.merge --reparent {RIGHT}", "migrate --target heads")

    for each in list(found.values())[:2]:
        assert refusal(each).startswith(
            f"a branch with a label is meant to have a head of its own: {RIGHT} (branch pay"
        )
        assert "`invoke migrate --target heads`" in each["error"]["hint"]
    assert files(forked) == before
    assert found["migrate --target heads"]["ok"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (f"down_revision = '{HEAD}'", f"down_revision = '{HEAD[:6]}' '{HEAD[6:]}'", "is not one plain string"),
        (f"down_revision = '{HEAD}'", f"down_revision = ('{HEAD}',)", "is not assigned once, to one plain string"),
        ("def upgrade", "print(down_revision)\n\n\ndef upgrade", "is not assigned once, to one plain string"),
        (f"down_revision = '{HEAD}'", f"down_revision = '{HEAD}'\ndepends_on = '{LEFT}'", ""),
    ],
    ids=["in two parts", "a tuple", "used", "depends on the other side"],
)
def test_what_is_no_plain_text_is_left_as_it_is(forked: Project, old: str, new: str, said: str) -> None:
    path = next(each for each in files(forked) if RIGHT in each.name)
    path.write_text(path.read_text().replace(old, new))
    before = path.read_bytes()

    done = forked.invoke(*MOVE, RIGHT if said else LEFT)

    assert done.code == 3, done.stdout
    assert (said or f"{RIGHT} depends on the chain to {LEFT}, so that cannot be put after it") in done.stderr
    assert path.read_bytes() == before


def test_a_merge_needs_no_database_and_moving_a_side_does(forked: Project) -> None:
    nobody = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "STILLROOM_WAIT_S": "0"}
    before = files(forked)

    moved = forked.invoke(*MOVE, RIGHT, env=nobody)
    merged = forked.invoke("heads.merge", env=nobody)

    assert (moved.code, merged.code) == (4, 0), merged.stderr
    assert len(files(forked)) == len(before) + 1


def test_models_in_the_middle_of_a_merge_are_no_reason_to_keep_two_heads(forked: Project) -> None:
    models = forked.path / "src" / "models" / "__init__.py"
    models.write_text("<<<<<<< HEAD\n" + models.read_text())

    done = forked.invoke("heads.merge")

    assert done.code == 0, done.stderr
    assert "warning: what both sides touch was not compared: src/models/__init__.py, line 1" in done.stdout
    assert "one head now: " in done.stdout


def test_flags_that_do_not_go_together(forked: Project) -> None:
    found = ask(forked, "heads.merge -m x --reparent aaaa", "heads.merge --onto aaaa", "heads.merge --reparent nosuch")

    assert [each["error"]["exit_code"] for each in found.values()] == [2, 2, 3]
