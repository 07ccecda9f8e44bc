"""The Makefile's targets are the CI steps that docs/ci.md names; every one of them works."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT, Finished, Project

TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def _make(project: Project, target: str) -> Finished:
    return project.run("make", "-s", target, f"INVOKE={sys.executable} -m invoke")


def with_makefile(project: Project) -> Project:
    shutil.copy2(ROOT / "Makefile", project.path / "Makefile")
    return project


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_does_its_step_on_a_migrated_database(migrated: Project, target: str) -> None:
    made = with_makefile(migrated)

    done = _make(made, target)

    assert done.code == 0, done.stderr


def test_status_fails_while_revisions_are_pending(project_on_database: Project) -> None:
    done = _make(with_makefile(project_on_database), "status")

    assert done.code == 2  # make's own; the task's 6 is in its message
    assert "Error 6" in done.stderr


def test_phony_names_every_target() -> None:
    phony = next(line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if line.startswith(".PHONY:"))

    assert set(phony.split()[1:]) == set(TARGETS)


def test_the_page_names_every_step_that_a_deploy_needs() -> None:
    page = Path(ROOT / "docs" / "ci.md").read_text("utf-8")

    assert all(
        step in page for step in ("invoke check --heads", "invoke backup-then-migrate", "invoke status --exit-code")
    )
