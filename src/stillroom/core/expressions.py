"""Whether what was typed as a value is one SQL expression: it is put into a statement as it is."""

from __future__ import annotations

from stillroom.core.sql_text import read_pieces

STATEMENTS = frozenset({"create", "grant", "select", "table", "with"})
"""Reserved words that begin a statement and no expression."""
CLAUSES = frozenset({"where", "from", "returning", "union", "except", "intersect", "order", "group", "limit", "having"})
"""Reserved words that end an expression, outside of brackets."""
PAIRS = {")": "(", "]": "["}
ALONE = "a value is one expression"


def find_flaw(text: str) -> str:
    """Say what keeps a text from being one expression; empty where nothing does.

    The server has the last word: a name that does not exist is found when the step runs.
    """
    opened: list[str] = []
    before = ""
    for kind, piece in read_pieces(text):
        if kind == "comment":
            return f"a comment in it; {ALONE}"
        if kind == "open":
            return f"a quote in it has no end; {ALONE}"
        word = piece.lower() if kind == "word" else ""
        if not before and word in STATEMENTS:
            return f"{piece} begins a statement; {ALONE}, brackets around a query make it one"
        if piece in PAIRS and kind == "mark" and (not opened or opened.pop() != PAIRS[piece]):
            return f"a bracket in it is closed and was not opened; {ALONE}"
        if kind == "mark" and piece in "([":
            opened.append(piece)
        if kind == "mark" and piece == ";":
            return f"a semicolon in it; {ALONE}"
        if not opened and kind == "mark" and piece == ",":
            return f"a comma in it; {ALONE}"
        if not opened and word in CLAUSES and (word, before) != ("from", "distinct"):
            return f"{piece} in it; {ALONE}, brackets around a query make it one"
        before = word or piece
    return f"a bracket in it is opened and not closed; {ALONE}" if opened else ""
