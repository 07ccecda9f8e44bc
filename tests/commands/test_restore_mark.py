"""`invoke restore` and the mark: a backup never makes a protected database unprotected."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.support import answer, query, set_mark
from tests.servers import Project


def _backup(project: Project) -> str:
    made: dict[str, Any] = answer(project.invoke("backup", "--json").stdout)["result"]
    return str(made.get("name") or made["backup"]["name"])


@pytest.mark.parametrize("mark", ["production", None], ids=str)
def test_the_mark_of_the_database_stays_whatever_the_backup_says(migrated: Project, mark: str | None) -> None:
    name = _backup(migrated)
    set_mark(migrated, mark)
    del migrated.environment["APP_ENV"]

    restored = migrated.invoke("restore", name, "--yes", "--allow", "swap")
    reset = migrated.invoke("reset-dev", "--yes")

    assert restored.code == 0, restored.stderr
    assert [row[0] for row in query(migrated, "select environment from stillroom.mark")] == ([mark] if mark else [])
    assert reset.code == 3
