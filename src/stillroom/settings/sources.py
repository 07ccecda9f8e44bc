"""The process environment over .env: which value holds, where it came from, what to say about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stillroom.errors import SettingsError
from stillroom.settings.dotenv_file import FILE, DotenvFile, read_dotenv
from stillroom.settings.model import Entry
from stillroom.settings.specs import DEFAULTS, LIBPQ_OPTIONS, LIBPQ_PLACES, NAMES, PREFIX

MASK = "***"
ENVIRONMENT = "environment"
# python-dotenv's own list.
TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y"})


@dataclass(frozen=True)
class Value:
    """One value and where it stands.

    Args:
        name: The variable.
        text: Its text; may be secret.
        source: "environment" or ".env line 3".
    """

    name: str
    text: str
    source: str

    @property
    def place(self) -> str:
        """What an error calls it."""
        return f"{self.name} in {'the environment' if self.source == ENVIRONMENT else self.source}"


@dataclass
class Sources:
    """Both sources, and what was learned while they were read.

    Args:
        environment: The process environment.
        file: What .env says.
        entries: What was recorded for `config`.
        notes: What a person should know.
    """

    environment: Mapping[str, str]
    file: DotenvFile
    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def get(self, name: str) -> Value | None:
        """Return the value of a variable, blank or not; None when it is not set."""
        if name in self.environment:
            return Value(name, self.environment[name], ENVIRONMENT)
        if name in self.file.values:
            return Value(name, self.file.values[name], f"{FILE} line {self.file.lines[name]}")
        return None

    def find(self, name: str) -> Value | None:
        """Return the value of a variable unless it is blank; CI systems write a missing variable as a blank one."""
        value = self.get(name)
        return value if value and value.text.strip() else None

    def read(self, name: str) -> Value | None:
        """Find a value that is no secret, and record it."""
        value = self.find(name)
        self.record(name, value.text if value else DEFAULTS[name], value.source if value else "default")
        return value

    def record(self, name: str, shown: str, source: str) -> None:
        """Record a setting for `config`; shown must hold no secret."""
        self.entries.append(Entry(name, shown, source))


def read_sources(root: Path) -> Sources:
    """Read the environment and the project's .env.

    Raises:
        SettingsError: .env cannot be read, or is not clear about one of our settings.
    """
    environment = dict(os.environ)
    if environment.get("PYTHON_DOTENV_DISABLED", "").casefold() in TRUE_WORDS:
        sources = Sources(environment, DotenvFile())
        if os.path.lexists(root / FILE):
            sources.notes.append(f"{FILE} is not read: PYTHON_DOTENV_DISABLED is set")
    else:
        file = read_dotenv(root)
        sources = Sources(environment, file, notes=list(file.notes))
    sources.notes += _differences(sources)
    sources.notes += _unknown_names(sources)
    return sources


def _differences(sources: Sources) -> list[str]:
    """Say where the environment wins over another value in the file."""
    return [
        f"{name}: the environment wins over a different value in {FILE} line {sources.file.lines[name]}"
        for name, text in sources.file.values.items()
        if name in sources.environment and sources.environment[name] != text
    ]


def _unknown_names(sources: Sources) -> list[str]:
    """Name the STILLROOM_ variables that decide nothing: most are misspelt."""
    names = {name for name in (*sources.environment, *sources.file.values) if name.startswith(PREFIX)}
    return [f"{name} is no setting; `invoke config` lists them" for name in sorted(names - NAMES)]


def libpq_defaults(sources: Sources) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the PG* variables add to a URL: places (host, user, ...), and options (sslmode, ...)."""
    found: list[dict[str, str]] = []
    for names in (LIBPQ_PLACES, LIBPQ_OPTIONS):
        values = {place: sources.find(name) for name, place in names.items()}
        found.append({place: value.text for place, value in values.items() if value})
        for place, value in values.items():
            if value:
                sources.record(value.name, MASK if place == "password" else value.text, value.source)
    places, options = found
    if "passfile" in options:
        # An outside program runs in another folder.
        options["passfile"] = str(Path(options["passfile"]).absolute())
    return places, options


def refuse(value: Value, what: str, hint: str) -> SettingsError:
    """Make the error about one value; what must show none of a secret."""
    return SettingsError(f"{value.place}: {what}", hint=hint)
