"""What was granted on a schema, as a backup's manifest has it."""

from __future__ import annotations

import re


def may_create_by(grants: str, quoted: str) -> bool:
    """Tell whether the grants of a schema let a role create in it.

    Args:
        grants: As `grantee=privileges`, joined by blanks.
        quoted: The role, as the server quotes it.
    """
    found = re.search(rf"(?:^| ){re.escape(quoted)}=([A-Z,*]+)(?: |$)", grants)
    return bool(found and "CREATE" in re.split(r"[,*]+", found[1]))
