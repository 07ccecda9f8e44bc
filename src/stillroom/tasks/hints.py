"""Answers to command lines that Invoke's parser would turn away, or read as something else than was meant."""

from __future__ import annotations

import subprocess
import sys
from typing import NoReturn

from invoke.exceptions import Exit

# Tasks whose first word is no flag.
TAKING_A_WORD = {"stamp", "restore", "accept", "verify", "pin"}
MEANT = {
    "make_migration": "make-migration",
    "upgrade": "migrate",
    "downgrade": "rollback",
    "revision": "make-migration",
    "reset_dev": "reset-dev",
    "backup_then_migrate": "backup-then-migrate",
    "current": "status",
    "autogenerate": "make-migration",
}
CORE_FLAGS_WITH_VALUE = {
    "-f",
    "--config",
    "-r",
    "--search-root",
    "-c",
    "--collection",
    "-T",
    "--command-timeout",
    "-D",
    "--list-depth",
    "-F",
    "--list-format",
}


def answer_misspelt(argv: list[str] | None = None) -> None:
    """Look at the command line when the tasks are loaded, because a misspelt task never runs.

    Raises:
        Exit: The line is one of those; the message names what was meant.
    """
    words = _task_words(sys.argv[1:] if argv is None else argv)
    if not words:
        return
    if words[0] in MEANT:
        raise Exit(f"error: there is no task `{words[0]}`\nhint:  `invoke {MEANT[words[0]]}`", code=1)
    if words[0].split(".")[-1] in TAKING_A_WORD and {"--help", "-h"} & set(words[1:2]):
        _show_help(words[0])
    if words[0] == "make-migration":
        _require_one_message(words[1:])


def is_about_all(argv: list[str] | None = None) -> bool:
    """Tell whether `--all` stands in the place of a task's word, which Invoke would ask for."""
    return stands_for_a_word("--all", argv=argv)


def stands_for_a_word(*flags: str, argv: list[str] | None = None) -> bool:
    """Tell whether one of these flags stands in the place of a task's word."""
    words = _task_words(sys.argv[1:] if argv is None else argv)
    return any(word.split("=")[0] in flags for word in words)


def _show_help(name: str) -> NoReturn:
    """Ask Invoke for the help in the order it understands; after such a task it would take `--help` for the word.

    Raises:
        Exit: Always; the help is shown.
    """
    program = [sys.executable, "-m", "invoke", "--help", name]
    raise Exit(code=subprocess.run(program, check=False).returncode)


def _task_words(argv: list[str]) -> list[str]:
    """Drop Invoke's own flags in front of the first task."""
    rest = list(argv)
    while rest and rest[0].startswith("-"):
        flag = rest.pop(0)
        if flag in CORE_FLAGS_WITH_VALUE and rest:
            rest.pop(0)
    return rest


def _require_one_message(words: list[str]) -> None:
    """Refuse `make-migration add rollback` and `make-migration -m add rollback`: the second word would run as a task."""
    message, bare, index = "", [], 0
    while index < len(words):
        word = words[index]
        if word in {"-m", "--message"}:
            message = words[index + 1] if index + 1 < len(words) else ""
            index += 1
        elif word.startswith("--message="):
            message = word.removeprefix("--message=")
        elif word in {"--rename", "--fill", "--replace", "--allow"}:
            index += 1
        elif not word.startswith("-"):
            bare.append(word)
        index += 1
    if bare and (not message or " " not in message):
        whole = " ".join([message, *bare] if message else bare)
        raise Exit(
            f"error: `{bare[0]}` would run as a task of its own, it is not part of the message\n"
            f'hint:  put the message in quotes: `invoke make-migration -m "{whole}"`',
            code=3,
        )
