"""The graph decisions against Alembic's own, on random histories with branches, merges and dependencies."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.migration import HeadMaintainer
from alembic.script import ScriptDirectory
from hypothesis import given, settings
from hypothesis import strategies as st

from stillroom.core.layout import Layout
from stillroom.core.plan import plan_upgrade
from stillroom.edges.scripts import read_history


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Draw revisions whose parents and dependencies come earlier in the list."""
    made: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
    for number in range(draw(st.integers(1, 9))):
        earlier = [each for each, _, _ in made]
        down = tuple(draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True))) if earlier else ()
        # Alembic itself fails on a merge one of whose parents comes before its dependency, so none is drawn.
        rest = [
            each
            for each in earlier
            if each not in _before(made, down) and not _before(made, (each,)).intersection(down)
        ]
        depends = tuple(draw(st.lists(st.sampled_from(rest), max_size=1))) if rest and draw(st.booleans()) else ()
        made.append((f"{number:02d}rev{number:02d}", _without_ancestors(made, down), depends))
    return made


def _before(made: list[tuple[str, tuple[str, ...], tuple[str, ...]]], names: tuple[str, ...]) -> set[str]:
    table = {each: (*down, *depends) for each, down, depends in made}
    found: set[str] = set()
    todo = list(names)
    while todo:
        each = todo.pop()
        if each not in found:
            found.add(each)
            todo += table[each]
    return found


def _without_ancestors(
    made: list[tuple[str, tuple[str, ...], tuple[str, ...]]], down: tuple[str, ...]
) -> tuple[str, ...]:
    """Drop a parent that comes before another parent: Alembic calls that overlapping."""
    return tuple(each for each in down if not any(each in _before(made, (other,)) for other in down if other != each))


def _write(folder: Path, made: list[tuple[str, tuple[str, ...], tuple[str, ...]]]) -> None:
    for name, down, depends in made:
        parent: Any = None if not down else down[0] if len(down) == 1 else down
        (folder / f"{name}.py").write_text(
            f"revision = {name!r}\ndown_revision = {parent!r}\ndepends_on = {depends or None!r}\ndef upgrade(): pass\n"
        )


def _heads_after(scripts: ScriptDirectory, steps: list[Any], current: tuple[str, ...]) -> set[str]:
    maintainer = HeadMaintainer.__new__(HeadMaintainer)
    maintainer.heads = set(current)
    maintainer._insert_version = maintainer.heads.add  # type: ignore[method-assign]
    maintainer._delete_version = maintainer.heads.remove  # type: ignore[method-assign]

    def update(before: str, after: str) -> None:
        maintainer.heads.remove(before)
        maintainer.heads.add(after)

    maintainer._update_version = update  # type: ignore[method-assign]
    for step in steps:
        maintainer.update_to_step(step)
    return maintainer.heads


@settings(max_examples=150, deadline=None)
@given(histories(), st.data())
def test_plans_are_those_of_alembic(
    made: list[tuple[str, tuple[str, ...], tuple[str, ...]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "versions").mkdir()
        _write(folder / "versions", made)
        config = Config()
        config.set_main_option("script_location", str(folder))
        scripts = ScriptDirectory.from_config(config)
        history = read_history(Layout(folder, folder, (folder / "versions",)))
        start = history.tops(
            history.closure(data.draw(st.lists(st.sampled_from(sorted(history.revisions)), max_size=2)))
        )
        target = data.draw(st.sampled_from(["heads", *sorted(history.revisions)]))
        if target != "heads" and history.closure([target]) < history.closure(start):
            return

        ours = plan_upgrade(history, start, target)
        theirs = scripts._upgrade_revs(target, start)  # type: ignore[arg-type]

        assert set(ours.steps) == {step.revision.revision for step in theirs}
        assert set(ours.ends_at) == _heads_after(scripts, theirs, start)
        done = set(history.closure(start))
        for each in ours.steps:
            assert set(history.revisions[each].needs) <= done
            done.add(each)
        assert set(history.heads) == set(scripts.get_heads())
