"""On which file system a folder is, out of what Linux says of its mounts."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from stillroom.core.mounts import find_file_system, why_not_lasting

MOUNTINFO = r"""22 1 0:21 / / rw,relatime - overlay overlay rw,lowerdir=/a:/b
23 22 0:22 / /proc rw - proc proc rw
24 22 8:1 /vol /app/backups rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw
25 22 0:23 / /with\040blank rw - tmpfs tmpfs rw
26 22 8:2 / /twice rw - ext4 /dev/sda2 rw
27 26 0:24 / /twice rw - tmpfs tmpfs rw
a line that is none
28 22 0:25 / - broken
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/app", "overlay"),
        ("/app/backups", "ext4"),
        ("/app/backups/deep/er", "ext4"),
        ("/app/backups2", "overlay"),
        ("/with blank/x", "tmpfs"),
        ("/twice/x", "tmpfs"),
        ("/proc/1", "proc"),
    ],
)
def test_the_deepest_and_last_mount_counts(path: str, kind: str) -> None:
    assert find_file_system(MOUNTINFO, PurePosixPath(path)) == kind


def test_without_a_table_nothing_is_known() -> None:
    assert find_file_system("", PurePosixPath("/app")) == ""


@pytest.mark.parametrize(
    ("kind", "why"),
    [("overlay", "layer"), ("aufs", "layer"), ("tmpfs", "in memory"), ("ramfs", "in memory"), ("ext4", ""), ("", "")],
)
def test_layers_and_memory_do_not_last(kind: str, why: str) -> None:
    assert why in why_not_lasting(kind)
    assert bool(why_not_lasting(kind)) is bool(why)
