"""Statements whose effect reaches past their database: roles, other databases, the server's settings, other servers.

Read from the text alone: what a function does that was made before, or that a statement only calls, is not seen.
"""

from __future__ import annotations

import re
from itertools import pairwise

from stillroom.core.locks.statements import find_locks
from stillroom.core.sql_text import Reader, Statement, Token, read_statements

_MAKES = ("create", "alter", "drop")
_SHARED = ("role", "user", "group", "database", "tablespace", "subscription")
_NAMED = ("database", "role", "tablespace")
_GRANTED_ON = ("database", "tablespace", "parameter")
_FUNCTIONS = re.compile(
    r"""dblink\w*|lo_export|pg_reload_conf|pg_rotate_logfile|pg_promote|pg_switch_wal|pg_terminate_backend|pg_cancel_backend
      |pg_create_restore_point|pg_create_\w+_replication_slot|pg_copy_\w+_replication_slot|pg_drop_replication_slot
      |pg_replication_origin_\w+|pg_file_\w+|schedule_in_database""",
    re.VERBOSE,
)
_BODY = re.compile(r"(\$(?:[A-Za-z_\x80-\U0010ffff]\w*)?\$)(.*?)\1", re.DOTALL)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
# Inside of a DO block, where statements stand between words of PL/pgSQL and in the strings that EXECUTE gets.
_INSIDE = re.compile(
    rf"""\b(?:(?P<makes>create|alter|drop)\s+(?P<shared>role|user(?!\s+mapping)|group|database|tablespace|subscription)
      |(?P<system>alter\s+system)
      |(?P<owned>(?:reassign|drop)\s+owned)
      |(?P<named>(?:comment|security\s+label)\s+on\s+(?:database|role|tablespace))
      |(?P<grants>(?:grant|revoke)\b(?:(?!\bon\b)[^;])*?\b(?:to|from)\b)
      |(?P<on>(?:grant|revoke)\b[^;]*?\bon\s+(?:database|tablespace|parameter))
      |(?P<copies>copy\b[^;]*?\b(?:from|to)\s+program)
      |(?P<calls>{_FUNCTIONS.pattern})\s*\()""",
    re.VERBOSE | re.IGNORECASE,
)


def find_cluster_wide(sql: str) -> str:
    """Name the first effect of these statements that leaves the database; empty when none is seen.

    Args:
        sql: One statement, or several with semicolons between them; DO blocks are looked into.

    Returns:
        The statement's first words in capitals, or the function: "CREATE ROLE", "GRANT of a role", "dblink()".
    """
    for statement in read_statements(sql):
        found = _of_statement(statement) or (_of_block(sql, statement) if statement[0].is_word("do") else "")
        if found:
            return found
    return ""


def find_foreign_write(sql: str, foreign: frozenset[str]) -> str:
    """Name the first write to a foreign table, whose rows are another server's; empty when none is seen.

    Args:
        sql: One statement, or several.
        foreign: The names of foreign tables, with and without their schemas.
    """
    for statement in read_statements(sql) if foreign else ():
        if statement[0].is_word("insert", "update", "delete", "merge", "truncate", "copy", "with"):
            written = [relation for relation, _ in find_locks(statement) or () if relation in foreign]
            if written:
                return f"{statement[0].text.upper()} of the foreign table {written[0]}"
    return ""


def _of_statement(statement: Statement) -> str:
    reader, first = Reader(statement), statement[0].text.upper()
    if len(statement) > 1 and statement[0].is_word(*_MAKES) and statement[1].is_word(*_SHARED):
        is_mapping = len(statement) > 2 and statement[1].is_word("user") and statement[2].is_word("mapping")
        return "" if is_mapping else f"{first} {statement[1].text.upper()}"
    for words in (("alter", "system"), ("reassign", "owned"), ("drop", "owned")):
        if reader.takes(*words):
            return " ".join(words).upper()
    if reader.takes("comment", "on") or reader.takes("security", "label"):
        on = reader if first == "COMMENT" or reader.skip_to("on") else None
        word = on.token.text if on and on.token and on.token.is_word(*_NAMED) else ""
        return f"{'COMMENT' if first == 'COMMENT' else 'SECURITY LABEL'} ON {word.upper()}" if word else ""
    if statement[0].is_word("grant", "revoke"):
        return _of_grant(statement, first)
    if statement[0].is_word("copy"):
        return _of_copy(statement)
    return _of_calls(statement)


def _of_grant(statement: Statement, first: str) -> str:
    """Tell the grant of a role, which has no ON, from that of a right."""
    ends = [index for index, token in enumerate(statement) if token.is_word("to", "from")]
    end = ends[-1] if ends else len(statement)
    on = next((index for index, token in enumerate(statement[:end]) if token.is_word("on")), None)
    if on is None:
        return f"{first} of a role" if ends else ""
    target = statement[on + 1] if on + 1 < len(statement) else None
    return f"{first} ON {target.text.upper()}" if target is not None and target.is_word(*_GRANTED_ON) else ""


def _of_copy(statement: Statement) -> str:
    for here, after in pairwise(statement):
        if here.is_word("from", "to") and after.is_word("program"):
            return f"COPY {here.text.upper()} PROGRAM"
        if here.is_word("to") and after.kind == "string":
            return "COPY TO a file"
    return _of_calls(statement)


def _of_calls(statement: Statement) -> str:
    if statement[0].is_word(*_MAKES, "comment", "grant", "revoke"):
        return ""  # of what a function is made of, nothing runs
    for here, after in pairwise(statement):
        if after == Token("mark", "(") and here.kind in {"word", "name"} and _FUNCTIONS.fullmatch(here.text):
            return f"{here.text}()"
    return ""


def _of_block(sql: str, statement: Statement) -> str:
    """Look into the body of a DO block; a word that only stands in a message there counts, too."""
    bodies = [body for _, body in _BODY.findall(sql)]
    bodies += [each.text[1:-1].replace("''", "'") for each in statement if each.kind == "string" and "'" in each.text]
    for body in bodies:
        found = _INSIDE.search(_COMMENT.sub(" ", body))
        if found:
            return _say(found)
    return ""


def _say(found: re.Match[str]) -> str:
    words = " ".join(found.group().upper().split())
    if found["grants"]:
        return f"{words.split()[0]} of a role"
    if found["on"]:
        return f"{words.split()[0]} ON {words.split()[-1]}"
    if found["copies"]:
        return f"COPY {' '.join(words.split()[-2:])}"
    return f"{found['calls'].lower()}()" if found["calls"] else words
