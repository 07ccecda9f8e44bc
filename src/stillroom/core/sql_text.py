"""SQL text as statements of tokens: comments are gone, names and strings are told apart, nothing is interpreted.

Source: PostgreSQL documentation, "Lexical Structure".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      |(?P<comment>/\*)
      |(?P<escaped>[eE]'(?:[^'\\]|\\.|'')*')
      |(?P<string>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')
      |(?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][\w]*)?\$)
      |(?P<name>(?:[uU]&)?"(?:[^"]|"")*")
      |(?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*)
      |(?P<number>\.?\d[\w.]*)
      |(?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")


@dataclass(frozen=True)
class Token:
    """One piece of a statement.

    Args:
        kind: "word" (not quoted), "name" (quoted), "string", "number" or "mark" (one character).
        text: A word in lower case, a name without its quotes, anything else as written.
    """

    kind: str
    text: str

    def is_word(self, *words: str) -> bool:
        """Say whether it is one of these keywords."""
        return self.kind == "word" and self.text in words


Statement = tuple[Token, ...]


def read_statements(text: str) -> tuple[Statement, ...]:
    """Cut SQL text into its statements; an empty one is left out."""
    found: list[Statement] = []
    current: list[Token] = []
    depth, is_atomic = 0, False
    for token in _tokens(text):
        if token == Token("mark", ";") and depth <= 0:
            found.append(tuple(current))
            current, depth, is_atomic = [], 0, False
            continue
        # The body of a function that is written as BEGIN ATOMIC … END holds semicolons of its own.
        is_atomic = is_atomic or (token.is_word("atomic") and bool(current) and current[-1].is_word("begin"))
        depth += _opens(token, is_atomic=is_atomic)
        current.append(token)
    return tuple(each for each in (*found, tuple(current)) if each)


def _opens(token: Token, *, is_atomic: bool) -> int:
    if token.kind == "mark":
        return {"(": 1, ")": -1}.get(token.text, 0)
    if is_atomic and token.kind == "word":
        return {"atomic": 1, "case": 1, "end": -1}.get(token.text, 0)
    return 0


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match is not None, "the last alternative takes any character"
        kind, value, position = str(match.lastgroup), match.group(), match.end()
        if kind == "comment":
            position = _end_of_comment(text, position)
        elif kind == "dollar":
            end = text.find(value, position)
            position = len(text) if end < 0 else end + len(value)
            tokens.append(Token("string", value))
        elif kind in {"string", "escaped"}:
            tokens.append(Token("string", value))
        elif kind == "name":
            tokens.append(Token("name", value.split('"', 1)[1][:-1].replace('""', '"')))
        elif kind != "space":
            tokens.append(Token(kind, value.lower() if kind == "word" else value))
    return tokens


def read_pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield what stands in a text one after the other, blanks left out: its kind and its words.

    The kind is that of a token, "comment", or "open" for a quote that has no end.
    """
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match is not None, "the last alternative takes any character"
        kind, piece, position = str(match.lastgroup), match.group(), match.end()
        if kind == "dollar":
            end = text.find(piece, position)
            kind, position = ("open", len(text)) if end < 0 else ("string", end + len(piece))
        elif kind == "mark" and piece in "'\"":
            kind, position = "open", len(text)
        elif piece.startswith(("--", "/*")):
            kind = "comment"
        if kind != "space":
            yield kind, piece


def replace_values(text: str, value: str = "?") -> str:
    """Put a sign in the place of each string and number, and a blank in that of comments; names stay as they are written.

    A string without an end takes the rest along, as in a statement that was cut.
    """
    pieces: list[str] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match is not None, "the last alternative takes any character"
        kind, piece, position = str(match.lastgroup), match.group(), match.end()
        if kind == "comment":
            position = _end_of_comment(text, position)
        elif kind == "dollar":
            end = text.find(piece, position)
            position = len(text) if end < 0 else end + len(piece)
        elif kind == "mark" and piece in "'\"":
            position = len(text)
        if kind in {"space", "comment"}:
            pieces.append(" ")
        elif kind in {"dollar", "string", "escaped", "number"} or (kind == "mark" and piece in "'\""):
            pieces.append(value)
        else:
            pieces.append(piece)
    return "".join(pieces)


def _end_of_comment(text: str, position: int) -> int:
    """Find the end of a comment; they nest."""
    depth = 1
    for match in _COMMENT.finditer(text, position):
        depth += 1 if match.group() == "/*" else -1
        if not depth:
            return match.end()
    return len(text)


class Reader:
    """Reads a statement from its beginning, a few words at a time."""

    def __init__(self, statement: Statement) -> None:
        self.tokens = statement
        self.at = 0

    def takes(self, *words: str) -> bool:
        """Step over these keywords if they come next, all of them."""
        coming = self.tokens[self.at : self.at + len(words)]
        if len(coming) == len(words) and all(token.is_word(word) for token, word in zip(coming, words, strict=True)):
            self.at += len(words)
            return True
        return False

    def takes_mark(self, mark: str) -> bool:
        """Step over one character if it comes next."""
        if self.token == Token("mark", mark):
            self.at += 1
            return True
        return False

    @property
    def token(self) -> Token | None:
        """What comes next."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def relation(self) -> str:
        """Read a name, with its schema if it has one; an empty string where none comes."""
        parts = []
        while self.token is not None and self.token.kind in {"word", "name"}:
            parts.append(self.token.text)
            self.at += 1
            if not self.takes_mark("."):
                break
        return ".".join(parts)

    def relations(self) -> tuple[str, ...]:
        """Read names with commas between them, as DROP and TRUNCATE have them."""
        found = []
        while True:
            self.takes("only")
            name = self.relation()
            if name:
                found.append(name)
            self.takes_mark("*")
            if not self.takes_mark(","):
                return tuple(found)

    def skip_to(self, *words: str) -> bool:
        """Step over the first of these keywords outside of brackets; stay where there is none."""
        depth = 0
        for index in range(self.at, len(self.tokens)):
            token = self.tokens[index]
            if token.kind == "mark":
                depth += {"(": 1, ")": -1}.get(token.text, 0)
            elif not depth and token.is_word(*words):
                self.at = index + 1
                return True
        return False

    def has(self, *words: str) -> bool:
        """Say whether one of these keywords stands anywhere in the statement."""
        return any(token.is_word(*words) for token in self.tokens)
