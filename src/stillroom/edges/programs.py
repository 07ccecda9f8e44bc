"""Outside programs: found once, on the absolute part of PATH, and called by their whole path."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping


def find_program(name: str, environment: Mapping[str, str]) -> str | None:
    """Find a program as a shell would, but never in the current folder, which others may write to.

    Args:
        name: A name to look for on PATH, or a path, which is taken as it is.
        environment: Its PATH is searched; parts that are relative or blank are passed over.
    """
    parts = environment.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which(name, path=os.pathsep.join(each for each in parts if os.path.isabs(each)))  # noqa: PTH117
    return os.path.abspath(found) if found else None  # noqa: PTH100  (a link stays a link: busybox looks at its name)
