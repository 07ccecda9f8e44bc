"""The one env loader: process environment and .env become one frozen Settings.

Nothing else in stillroom reads the environment or `.env`. The application uses the same loader:
`settings.load().url_for("asyncpg")`.
"""

from __future__ import annotations

from stillroom.settings.loading import load
from stillroom.settings.model import Entry, Settings, SettingSpec
from stillroom.settings.specs import SETTINGS

__all__ = ["SETTINGS", "Entry", "SettingSpec", "Settings", "load"]
