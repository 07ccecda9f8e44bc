"""What only a person knows about a change: asked at the terminal, or refused with the flags that say it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stillroom.core.answer_words import quote
from stillroom.core.expressions import find_flaw
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stillroom.core.generation import Answers, Question
    from stillroom.edges.terminal import Terminal

AGAIN = "nothing was written; `invoke make-migration` asks again"


def ask_questions(questions: Sequence[Question], answers: Answers, terminal: Terminal) -> Answers:
    """Ask one question after another.

    Raises:
        RefusedError: Nobody is there to answer, or one of them was not answered.
    """
    if not terminal.is_interactive:
        raise unanswered(questions)
    taken: set[str] = set()
    for question in questions:
        choices = tuple(each for each in question.choices if each not in taken)
        if question.kind == "rename" and not choices:
            continue
        value = _ask(replace(question, choices=choices), terminal)
        if question.kind == "rename" and value:
            taken.add(value)
        answers = answers.with_answer(question, value)
    return answers


def unanswered(questions: Sequence[Question]) -> RefusedError:
    """Name what has to be answered, and the flags that do it."""
    ways = [" or ".join(f"`{flag}`" for flag in each.flags) for each in questions if each.flags]
    said = "; ".join(each.text for each in questions)
    hint = f"say it: {'; '.join(dict.fromkeys(ways))}" if ways else "`invoke server.psql`, or psql, to correct them"
    return RefusedError(f"{said}; nothing was written", hint=hint)


def require_use(
    unused: Iterable[tuple[str, str]], *, flag: str = "--{} {}", again: str = "`invoke make-migration` without it"
) -> None:
    """Refuse an answer to nothing that was asked, most often a slip of the pen.

    Args:
        unused: The flags and what they are about.
        flag: How one is typed.
        again: What shows the differences.

    Raises:
        RefusedError: The flags are named.
    """
    flags = [flag.format(kind, quote(subject)) for kind, subject in unused]
    if flags:
        raise RefusedError(
            f"{', '.join(flags)}: nothing in the models and the database fits that; nothing was written",
            hint=f"{again} shows what differs",
        )


def _ask(question: Question, terminal: Terminal) -> str:
    if question.kind == "convert":
        raise unanswered([question])
    terminal.say(question.text)
    if question.kind == "fill":
        return _ask_value(question, terminal)
    for number, choice in enumerate(question.choices, 1):
        word = "renamed to" if question.kind == "rename" else "they get"
        terminal.say(f"  [{number}] {word} {choice}")
    if question.may_be_lost:
        terminal.say("  [d] they die")
    while given := terminal.ask("which? "):
        if given in question.choices:
            return given
        if given.lower() == "d" and question.may_be_lost:
            return ""
        if given.isdecimal() and 0 < int(given) <= len(question.choices):
            return question.choices[int(given) - 1]
    raise _not_answered(question)


def _ask_value(question: Question, terminal: Terminal) -> str:
    shown = f" [{question.proposal}]" if question.proposal else ""
    while given := terminal.ask(f"value for them, as SQL{shown}: ") or question.proposal:
        flaw = find_flaw(given)
        if not flaw:
            return given
        terminal.say(flaw)
    raise _not_answered(question)


def _not_answered(question: Question) -> RefusedError:
    return RefusedError(f"{question.subject}: not answered", hint=AGAIN)
