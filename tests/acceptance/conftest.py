"""What is accepted runs in processes of its own, as a person starts them."""

from __future__ import annotations

import pytest

from tests.servers import Project


@pytest.fixture
def project(project: Project) -> Project:
    """The same project, of which nothing is forked."""
    project.is_forked = False
    return project
