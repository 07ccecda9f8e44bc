"""Which revision ids are read: one that could be anything but an id never reaches Alembic, which puts it into SQL by hand."""

from __future__ import annotations

from stillroom.errors import RefusedError

LONGEST = 32
REFUSED = set("'\"`\\;()%/") | set("@-+:")  # the last four are refused by Alembic itself


def require_safe_id(revision: str, path: str) -> None:
    """Refuse an id that is empty, longer than the version table's column, or holds more than an id needs.

    Args:
        revision: The id of a revision or of its parent.
        path: The file that says it.

    Raises:
        RefusedError: The file and the reason are named.
    """
    wrong = next((char for char in revision if char in REFUSED or char.isspace() or not char.isprintable()), "")
    if not revision:
        reason = "is empty"
    elif wrong:
        reason = f"holds {wrong!r}"
    elif len(revision) > LONGEST:
        reason = f"has {len(revision)} characters, and the version table holds {LONGEST}"
    else:
        return
    shown = repr(revision if len(revision) <= 2 * LONGEST else revision[: 2 * LONGEST] + "…")
    raise RefusedError(
        f"{path}: the revision id {shown} {reason}",
        hint="give it an id of letters, digits and underscores, in the files that follow it as well",
    )
