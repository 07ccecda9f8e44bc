"""Who else on this machine may read or write a file or folder, as its mode says."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Access:
    """What a mode gives to those who do not own the file.

    Args:
        mode: The permission bits.
    """

    mode: int

    @property
    def lets_read(self) -> bool:
        """The group or others may read it."""
        return bool(self.mode & (stat.S_IRGRP | stat.S_IROTH))

    @property
    def lets_group_write(self) -> bool:
        """The group may write it."""
        return bool(self.mode & stat.S_IWGRP)

    @property
    def lets_others_write(self) -> bool:
        """Everybody may write it."""
        return bool(self.mode & stat.S_IWOTH)

    @property
    def lets_in(self) -> bool:
        """The group or others may list a folder, or reach what is in it."""
        return self.lets_read or bool(self.mode & (stat.S_IXGRP | stat.S_IXOTH))


def read_access(path: Path) -> Access | None:
    """Read the mode of a file or folder, links followed; None where there is none, or modes mean nothing."""
    if os.name != "posix":
        return None
    try:
        return Access(stat.S_IMODE(path.stat().st_mode))
    except OSError:
        return None
