"""Doctor's look at the backups: how old is the last one of this database that was verified?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stillroom.commands._restore_checks import is_of, is_whole
from stillroom.core.findings import Finding, from_error, graver
from stillroom.edges.backup_list import read_backups
from stillroom.errors import ToolError
from stillroom.report._amounts import age

if TYPE_CHECKING:
    from stillroom.commands._database import Target
    from stillroom.settings import Settings

OLD_AFTER_S = 7 * 86_400.0


def check_backups(settings: Settings, database: Target, *, is_protected: bool) -> Iterator[Finding]:
    """Find the newest backup of the database that was read back in full; sizes are compared, hashes are not."""
    try:
        found = read_backups(settings.backup_dir)
    except ToolError as error:
        yield from_error("backups-unreadable", error)
        return
    taken = [
        each.manifest.created_at
        for each in found
        if each.manifest
        and each.manifest.verified
        and not each.problem
        and is_whole(each)
        and is_of(each.manifest, database)
    ]
    damaged = [each for each in found if each.problem.startswith("damaged")]
    if damaged:
        what = f"{len(damaged)} of the backups cannot be used, the first: {damaged[0].name}: {damaged[0].problem}"
        yield Finding("warning", "backup-damaged", what, "`invoke backups`; `invoke backup` makes another")
    if not taken:
        what = f"there is no verified backup of it in {settings.backup_dir}"
        yield Finding(graver(is_protected=is_protected), "backup-missing", what, "`invoke backup`")
        return
    age_s = (datetime.now(UTC) - max(taken)).total_seconds()
    if age_s > OLD_AFTER_S:
        what = f"the last verified backup is {age(age_s)} old"
        yield Finding(graver(is_protected=is_protected), "backup-old", what, "`invoke backup`")
    else:
        yield Finding("ok", "backup", f"the last verified backup is {age(age_s)} old")
