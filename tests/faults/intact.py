"""What must be as it was after a fault: the database, the older backups, and nothing left half-way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from stillroom.core.contents import TableRows
from stillroom.edges.backup_list import find_damage, read_backup, read_backups
from stillroom.edges.postgres.rows import comparing, count_rows
from stillroom.edges.postgres.snapshot import list_tables
from tests.commands.backing import databases, folder, make_backup
from tests.commands.support import current, database_of
from tests.faults.outside import until
from tests.servers import Project

Content = Mapping[str, str]


@dataclass(frozen=True)
class Before:
    """What was there before a fault.

    Args:
        project: Whose.
        revisions: Where its database stood.
        rows: Number and hash of the rows of each table.
        backups: The hash of each file of each good backup.
        databases: The database, and those beside it.
    """

    project: Project
    revisions: tuple[str, ...]
    rows: Content
    backups: Content
    databases: frozenset[str]

    def require(self, *, makes_another: bool = False, restores: bool = False, is_live: bool = True) -> None:
        """Require that all of it is still there, and that nothing else looks like a backup.

        Args:
            makes_another: Make one, after which nothing may be left of what the fault interrupted.
            restores: Restore the newest older one beside, to see that it can be.
            is_live: The live database was not meant to change.
        """
        project = self.project
        if is_live:
            assert tuple(current(project)) == self.revisions
            assert rows_of(project) == self.rows
        here = files_of(project)
        assert {name: here.get(name) for name in self.backups} == dict(self.backups)
        require_no_half_backup(project)
        if makes_another:
            until(lambda: not sessions(project), "the server ends the sessions of who was killed")
            made = make_backup(project, "--verify", "restore")
            assert not list(folder(project).glob("*.partial"))
            assert made in {each.name for each in read_backups(folder(project))}
            require_nothing_left(project, self.databases)
        if restores:
            require_restorable(project, newest(project, self.backups))


def remember(project: Project) -> Before:
    """Look at everything before the fault."""
    return Before(
        project,
        tuple(current(project)),
        rows_of(project),
        files_of(project),
        frozenset(databases(project) | scratches(project)),
    )


def rows_of(project: Project, name: str = "") -> Content:
    """Count and hash the rows of every table that holds the project's own, by stillroom's own hash."""
    database = database_of(project)
    with closing(database.server.connect(name or database.name)) as connection:
        with connection.cursor() as cursor:
            tables = [(each.schema, each.name) for each in list_tables(cursor) if each.has_rows]
        counted: list[TableRows] = []
        for start in range(0, len(tables), 100):  # in pieces, for servers with few lock slots
            with comparing(connection):
                counted += count_rows(connection, tables[start : start + 100], hashes=True)
    # The ledger of a copy tells of its restore.
    return {f"{each.schema}.{each.name}": f"{each.rows} {each.hash}" for each in counted if each.schema != "stillroom"}


def files_of(project: Project) -> Content:
    """Hash every file of every good backup."""
    found = {}
    for each in read_backups(folder(project)):
        if not each.problem:
            for path in each.path.rglob("*"):
                if path.is_file():
                    found[str(path.relative_to(folder(project)))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def newest(project: Project, backups: Content) -> str:
    """The name of the last good backup that was there before."""
    return next(each.name for each in read_backups(folder(project)) if f"{each.name}/manifest.json" in backups)


def require_no_half_backup(project: Project) -> None:
    """What has a final name is whole: it has a manifest, and every hash in it is right."""
    for path in folder(project).glob("*"):
        if path.is_dir() and not path.name.endswith(".partial"):
            assert (path / "manifest.json").is_file(), path
            assert find_damage(read_backup(path)) == "", path


def scratches(project: Project) -> set[str]:
    """The scratch databases on the server, whoever made them."""
    with closing(database_of(project).server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select datname from pg_database where starts_with(datname, 'stillroom_scratch_')")
        return {name for (name,) in cursor.fetchall()}


def sessions(project: Project) -> int:
    """Count the sessions of stillroom and its tools on the server: a killed client's go on for a moment."""
    with closing(database_of(project).server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_stat_activity where application_name like 'stillroom%'")
        return int((cursor.fetchone() or (0,))[0])


def require_nothing_left(project: Project, before: frozenset[str]) -> None:
    """No scratch database and no half restore is there that was not there before."""
    assert (databases(project) | scratches(project)) - before == set()


def require_restorable(project: Project, name: str) -> None:
    """Restore a backup beside the live database, compare its rows with the manifest's, and drop it again."""
    into, described = f"{database_of(project).name}_sample", read_backup(folder(project) / name).manifest
    assert described is not None
    done = project.invoke("restore", name, "--into", into)
    assert done.code == 0, done.stderr
    found = dict(rows_of(project, into))
    for each in described.project_rows:
        # A backup that was only read back has no hashes.
        state = found.pop(f"{each.schema}.{each.name}")
        assert state == f"{each.rows} {each.hash or state.split()[1]}", each
    assert found == {}
    database_of(project).server.execute(f'drop database "{into}" with (force)')


def await_end_of(pid: int) -> None:
    """Wait until a process is gone."""
    until(lambda: not Path("/proc", str(pid)).exists(), f"process {pid} ends")
