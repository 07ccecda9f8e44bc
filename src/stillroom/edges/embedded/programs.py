"""Run PostgreSQL's programs as the server's user, in an environment that cannot mislead them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stillroom.edges.embedded.account import Account
from stillroom.edges.embedded.binaries import Binaries
from stillroom.edges.embedded.place import ELSEWHERE
from stillroom.errors import ToolError

LEFT_OUT = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "doc", "*.py", "__pycache__")


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's programs, where the server's user can run them.

    Args:
        folder: Their folder: the binaries' own, or a copy.
        account: The user they run as.
        environment: Theirs; without PG*, LANG and LC_*, which would change the port, the data folder or the locale.
    """

    folder: Path
    account: Account
    environment: Mapping[str, str]

    def run(self, name: str, *arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run one program to its end.

        Raises:
            ToolError: It could not be run, or did not end in time.
        """
        try:
            return subprocess.run(
                [str(self.folder / name), *arguments],
                env=self.environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
                **self.account.popen_options(),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolError(f"{name}: {error}", hint="`invoke server.status` names the folders in use") from error


def prepare_programs(binaries: Binaries, account: Account, environment: Mapping[str, str]) -> Programs:
    """Return the programs as the server's user can run them.

    Raises:
        ToolError: That user cannot reach them and they cannot be copied.
    """
    clean = {name: value for name, value in environment.items() if not name.startswith(("PG", "LC_", "LANG"))}
    folder = binaries.folder
    if account.is_dropped and not account.can(str(folder / "postgres"), "--version"):
        try:
            folder = _reachable_copy(binaries)
        except OSError as error:
            raise ToolError(
                f"{folder} cannot be reached by {account.name}, nor copied to {ELSEWHERE}: {error}",
                hint="set STILLROOM_PG_BIN to a folder everyone can reach, or set DATABASE_URL",
            ) from error
    return Programs(folder, account, clean | {"LC_ALL": "C"})


def _reachable_copy(binaries: Binaries) -> Path:
    """Copy the programs (31 MB, 0.2 s) instead of opening the folder above them, which may be root's home."""
    package = binaries.folder.parent.parent
    has_libraries_beside = _libraries_beside(package).is_dir()
    tree = package if has_libraries_beside else binaries.folder.parent
    made = (binaries.folder / "postgres").stat().st_mtime_ns
    name = hashlib.sha256(os.fsencode(binaries.folder)).hexdigest()[:12]
    copy = ELSEWHERE / f"stillroom-bin-{name}-{made}"
    if not copy.exists():
        _copy_tree(tree, copy)
    found = copy.lstat()
    if copy.is_symlink() or found.st_uid != 0 or found.st_mode & 0o022:
        raise PermissionError(f"{copy} is not root's alone")
    return copy / tree.name / binaries.folder.relative_to(tree)


def _copy_tree(tree: Path, copy: Path) -> None:
    """Copy a program tree and the libraries beside it; the layout stays, the programs find their libraries by it."""
    draft = Path(tempfile.mkdtemp(dir=copy.parent, prefix="stillroom-bin-"))
    draft.chmod(0o755)
    try:
        for source in (tree, _libraries_beside(tree)):
            if source.is_dir():
                shutil.copytree(source, draft / source.name, symlinks=True, ignore=LEFT_OUT)
        draft.rename(copy)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not copy.exists():  # else another process was quicker, which is as good
            raise


def _libraries_beside(package: Path) -> Path:
    """Return the folder where a repaired wheel keeps the libraries of its programs."""
    return package.with_name(package.name + ".libs")
