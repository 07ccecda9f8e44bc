"""What keeps a saved file out of the versions folder."""

from __future__ import annotations

import pytest

from stillroom.core.revision_text import UNREVIEWED, add_mark, find_problems, remove_mark

GOOD = '''"""add notes"""

from alembic import op

revision: str = "abc123def456"
down_revision: str | None = "3f9c1a7be204"


def upgrade() -> None:
    op.drop_constraint("uq_users_email", "users")


def downgrade() -> None:
    pass
'''


def _problems(text: str) -> tuple[str, ...]:
    return find_problems(text.encode("utf-8", "surrogateescape"), revision="abc123def456", down="3f9c1a7be204")


def test_a_good_file_has_no_problems() -> None:
    assert _problems(GOOD) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def upgrade() -> None:", "def upgrade( -> None:", "line 9: it does not compile"),
        ('"abc123def456"', '"ffffffffffff"', 'must stay "abc123def456"'),
        ('"3f9c1a7be204"', "None", '"3f9c1a7be204"'),
        ('revision: str = "abc123def456"', "revision = make()", "no plain strings"),
        ("def downgrade", "def downgrades", "downgrade() is gone"),
        ('"uq_users_email"', "None", "line 10: drop_constraint(None"),
        (
            'drop_constraint("uq_users_email", "users")',
            'drop_constraint(table_name="u", constraint_name=None)',
            "line 10",
        ),
        ('"""add notes"""', "\0", "null bytes"),
        ('"""add notes"""', "# \udcff", "line 1: it is not UTF-8"),
        (GOOD, "", "no `revision`"),
        ("    pass", "    pass  # \udcff", "line 14: it is not UTF-8"),
    ],
    ids=[
        "syntax",
        "revision",
        "parent",
        "no literal",
        "no downgrade",
        "unnamed",
        "unnamed by keyword",
        "nul",
        "bytes",
        "empty",
        "late bytes",
    ],
)
def test_a_problem_is_named_with_its_line(old: str, new: str, said: str) -> None:
    found = _problems(GOOD.replace(old, new, 1))

    assert any(said in each for each in found), found


def test_a_mark_is_the_first_line_and_goes_again() -> None:
    marked = add_mark(GOOD)

    assert marked.splitlines()[0] == UNREVIEWED
    assert add_mark(marked) == marked
    assert remove_mark(marked) == remove_mark(GOOD) == GOOD
