"""What is asked of, and answered for, a revision that is being generated, as frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from stillroom.core.answer_words import FILL, RENAME, Form, fill_flag, pair_flag, unquote
from stillroom.core.expressions import find_flaw
from stillroom.errors import SettingsError


@dataclass(frozen=True)
class Question:
    """What only a person knows about a change of the models.

    Args:
        kind: "rename", "fill" or "replace": the flag that answers it; "lose" where only
            `--allow data-loss` does; "convert" for values that have to be corrected first.
        subject: What it is about: "users.name", "users", or "mood.sad" for a member of an enum type.
        text: What was found, as the beginning of a sentence.
        choices: New names, for a rename or a replacement.
        proposal: What would be taken for a fill without another word.
        may_be_lost: It may be answered with "the old one dies".
    """

    kind: str
    subject: str
    text: str
    choices: tuple[str, ...] = ()
    proposal: str = ""
    may_be_lost: bool = True

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that answer it without a terminal."""
        found: list[str] = []
        if self.kind == "convert":
            return ()
        if self.kind == "fill":
            return (fill_flag(self.subject, self.proposal or "SQL"),)
        found += [pair_flag(self.kind, self.subject, each) for each in self.choices]
        if self.may_be_lost:
            found.append("--allow data-loss")
        return tuple(found)


@dataclass(frozen=True)
class Answers:
    """What was answered, on the command line or at the terminal.

    Args:
        rename: Old name to new: "users.name" to "full_name", "users" to "people", "mood.sad" to "unhappy".
        fill: "users.age" to an SQL expression: what rows hold that are there already.
        replace: "mood.sad" to a member that stays: what rows hold instead.
        dropped: Subjects that are meant to die.
        may_lose: Whatever is gone from the models is meant to die.
        is_online: Write foreign keys and indexes in the form that does not stop others.
    """

    rename: Mapping[str, str] = field(default_factory=dict)
    fill: Mapping[str, str] = field(default_factory=dict)
    replace: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    may_lose: bool = False
    is_online: bool = False

    def is_lost(self, subject: str) -> bool:
        """Say whether it was said that this one dies."""
        return self.may_lose or subject in self.dropped

    def with_answer(self, question: Question, value: str) -> Answers:
        """Add one answer; an empty value lets the subject die."""
        if not value:
            return replace(self, dropped=self.dropped | {question.subject})
        known: dict[str, str] = {**getattr(self, question.kind), question.subject: value}
        more: Answers = replace(self, **{question.kind: known})  # type: ignore[arg-type]
        return more

    @property
    def all_given(self) -> frozenset[tuple[str, str]]:
        """Flag and subject of each answer, for telling which was of no use."""
        return frozenset((kind, each) for kind in ("rename", "fill", "replace") for each in getattr(self, kind))


def parse_answers(
    rename: Iterable[str] = (),
    fill: Iterable[str] = (),
    replacement: Iterable[str] = (),
    *,
    may_lose: bool = False,
    is_online: bool = False,
) -> Answers:
    """Read the values of `--rename`, `--fill` and `--replace`.

    Raises:
        SettingsError: One of them is not of its form, two answer the same, or a value is more than one expression.
    """
    filled = _parsed("fill", fill, FILL, "table.column=SQL, for instance users.age=0")
    for subject, value in filled.items():
        flaw = find_flaw(value)
        if flaw:
            raise SettingsError(f"--fill {subject}: {flaw}", hint="one SQL expression: `--fill users.age=0`")
    return Answers(
        _parsed(
            "rename", rename, RENAME, "table.old:new, old:new for a table, type.old:new for a member of an enum type"
        ),
        filled,
        _parsed("replace", replacement, RENAME, "type.gone:stays, for members of an enum type"),
        may_lose=may_lose,
        is_online=is_online,
    )


def _parsed(flag: str, values: Iterable[str], form: Form, shown: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in values:
        match = form.fullmatch(each.strip())
        if match is None:
            hint = f"write it as {shown}; a name with one of `:=.` in double quotes, as in SQL"
            raise SettingsError(f"--{flag} {each!r} cannot be read", hint=hint)
        subject, value = unquote(match["subject"]), match["value"]
        value = value.strip() if flag == "fill" else unquote(value)
        if found.setdefault(subject, value) != value:
            raise SettingsError(f"--{flag} is given twice for {subject}", hint="give it once")
    return found
