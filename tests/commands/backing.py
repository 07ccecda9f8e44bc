"""What the tests about backups do: make one, look at the folder, and put programs of their own in pg_dump's place."""

from __future__ import annotations

import json
import shlex
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stillroom.core.manifest import DUMP, Manifest, write_manifest
from stillroom.edges.backups import publish, sync_and_hash, unfinished
from tests.commands.support import answer, database_of
from tests.core.test_manifest import MANIFEST
from tests.servers import Project

KEEP = "backups"
# The tests may run on a container's own layer, where production is not backed up to without a copy.
LASTING = {"STILLROOM_BACKUP_COPY_COMMAND": "true"}


def folder(project: Project) -> Path:
    """Where the project's backups lie."""
    return project.path / KEEP


def names(project: Project) -> list[str]:
    """Every folder among the backups, unfinished ones as well."""
    return sorted(each.name for each in folder(project).glob("*") if each.is_dir())


def make_backup(project: Project, *args: str) -> str:
    """Make a backup and return its name."""
    done = project.invoke("backup", "--json", *args)
    assert done.code == 0, done.stdout + done.stderr
    return str(answer(done.stdout)["result"]["backup"]["name"])


def put_backup(backup_dir: Path, *, days: float = 0, text: str = "rows", **changes: Any) -> str:
    """Write a backup of a moment that is past as `backup` does, without a database; return its name."""
    made_at = datetime.now(UTC) - timedelta(days=days)
    with unfinished(backup_dir, "shop") as partial:
        (partial / DUMP).mkdir()
        (partial / DUMP / "toc.dat").write_text(text)
        sequence = 1 + sum(1 for each in backup_dir.glob("*/manifest.json"))
        described = replace(
            MANIFEST, without_rows=(), files=sync_and_hash(partial), sequence=sequence, created_at=made_at
        )
        described = Manifest(**(vars(described) | changes))
        name = f"{described.database}-{made_at:%Y%m%dT%H%M%SZ}-abc"
        return publish(partial, name, lambda: write_manifest(described)).name


def manifest(project: Project, name: str) -> dict[str, Any]:
    """Read a backup's manifest."""
    found = json.loads((folder(project) / name / "manifest.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def tools_instead(project: Project, *, dump: str = "", restore: str = "") -> None:
    """Put shell scripts in the place of pg_dump and pg_restore; `$real` in them is the real program.

    They answer `--version` as the real ones do, and are asked whether they know zstd like those.
    """
    server = database_of(project).server
    instead = project.path.parent / "tools"
    instead.mkdir(exist_ok=True)
    for program, body in (("pg_dump", dump), ("pg_restore", restore)):
        real = shlex.quote(str(server.bin / program))
        probe = 'case "$*" in *--version*|*--format=custom*) exec "$real" "$@";; esac'
        script = instead / program
        script.write_text(f'#!/bin/sh\nreal={real}\n{probe}\n{body or chr(35)}\nexec "$real" "$@"\n')
        script.chmod(0o755)
    project.environment["STILLROOM_PG_BIN"] = str(instead)


def databases(project: Project) -> set[str]:
    """The databases of the server that were made for this project: its own, and those beside it."""
    database = database_of(project)
    with closing(database.server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select datname from pg_database where starts_with(datname, %s)", (database.name,))
        return {name for (name,) in cursor.fetchall()}
