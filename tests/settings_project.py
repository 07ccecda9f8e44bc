"""A project's folder and a process environment, for the tests of the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillroom.settings import Settings, load

URL = "postgresql://app:geheim@localhost:5432/shop"


class Project:
    """A folder with an alembic.ini, seen by a process whose environment holds nothing but PATH and HOME."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.monkeypatch = monkeypatch
        root.mkdir()
        (root / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
        monkeypatch.setattr("os.environ", {"PATH": "/usr/bin:/bin", "HOME": str(root / "home")})
        monkeypatch.chdir(root)

    def environ(self, **values: str) -> Project:
        """Set variables of the process."""
        for name, value in values.items():
            self.monkeypatch.setitem(__import__("os").environ, name, value)
        return self

    def dotenv(self, text: str) -> Project:
        """Write .env."""
        (self.root / ".env").write_bytes(text.encode())
        return self

    def load(self) -> Settings:
        """Load the settings from the current folder."""
        return load()

    def source(self, name: str) -> str:
        """Return where a setting comes from."""
        return next(entry.source for entry in self.load().entries if entry.name == name)
