"""Certification authorities and certificates, made by openssl for one test."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.faults.outside import require_program

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


@dataclass(frozen=True)
class Authority:
    """A certification authority.

    Args:
        certificate: What those who trust it have.
        key: What it signs with.
    """

    certificate: Path
    key: Path

    def issue(self, folder: Path, host: str) -> tuple[Path, Path]:
        """Make a server's certificate for a host name, and its key."""
        certificate, key, request = (folder / f"server.{kind}" for kind in ("crt", "key", "csr"))
        extensions = folder / "extensions"
        extensions.write_text(f"subjectAltName=DNS:{host}\n")
        _openssl("req", *CURVE, "-subj", f"/CN={host}", "-keyout", key, "-out", request)
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", "2", "-extfile", extensions, "-out", certificate,
        )  # fmt: skip
        return certificate, key


def make_authority(folder: Path, name: str) -> Authority:
    """Make an authority in a folder."""
    made = Authority(folder / f"{name}.crt", folder / f"{name}.key")
    _openssl("req", "-x509", *CURVE, "-subj", f"/CN={name}", "-keyout", made.key, "-out", made.certificate)
    return made


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(
        [require_program("openssl", package="openssl"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
