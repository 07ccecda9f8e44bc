"""The commands a project names for its backups: split without a shell, filled in, and what they say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from stillroom.core.printable import visible

ID_MOST = 255
SHOWN_MOST = 300
SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASS|CREDENTIAL|SIGNATURE|SAS|CONNECTION_STRING", re.IGNORECASE)
SECRET_LEAST = 6  # a shorter value is no secret, and may be a part of any word


def split_command(text: str) -> tuple[str, ...]:
    """Split a command line by the shell's rules for quotes; nothing is expanded.

    Raises:
        ValueError: A quote has no end, or there is no word in it.
    """
    words = tuple(shlex.split(text))
    if not words or not words[0]:
        raise ValueError("no program is named")
    return words


def fill(words: tuple[str, ...], *, appended: str, **values: str) -> tuple[str, ...]:
    """Put values in the place of `{name}`; a value is never split, and what stands in one is not replaced.

    Args:
        words: The command.
        appended: The value that comes last where no placeholder stands.
        values: By the placeholder's name.
    """
    holder = re.compile("|".join(re.escape(f"{{{name}}}") for name in values))
    if not any(holder.search(word) for word in words):
        return (*words, values[appended])
    return tuple(holder.sub(lambda found: values[found[0][1:-1]], word) for word in words)


def read_snapshot_id(stdout: str) -> str:
    """Take the last line that is not blank for the snapshot's id.

    Returns:
        The id; empty where that line could be none.
    """
    lines = [line.strip() for line in stdout.splitlines() if line.strip()]
    id_ = lines[-1] if lines else ""
    return id_ if id_.isprintable() and len(id_) <= ID_MOST and not id_.startswith("-") else ""


def last_line(*texts: str) -> str:
    """Return the last line that is not blank, of the first text that has one, shortened."""
    for text in texts:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if lines:
            return visible(lines[-1][:SHOWN_MOST])
    return "it said nothing"


def mask_values(text: str, environment: Mapping[str, str]) -> str:
    """Mask what the environment holds under the name of a secret."""
    secrets = {value for name, value in environment.items() if SECRET_NAME.search(name) and len(value) >= SECRET_LEAST}
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, "***")
    return text
