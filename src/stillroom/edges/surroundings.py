"""Who runs us, where, and which version of the project that is."""

from __future__ import annotations

import os
import socket
import tomllib
from pathlib import Path


def find_actor() -> str:
    """Name the operating system's user; its number where it has no name, as in many containers."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except ImportError:
        return os.getlogin()
    except KeyError:
        return str(os.getuid())


def find_host() -> str:
    """Name this machine; in a cluster that is the pod."""
    return socket.gethostname()


def read_application_version(root: Path) -> str:
    """Read the project's version from its pyproject.toml; an empty string where it does not say."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text("utf-8")).get("project", {})
    except (OSError, ValueError):
        return ""
    version = project.get("version", "") if isinstance(project, dict) else ""
    return version if isinstance(version, str) else ""
