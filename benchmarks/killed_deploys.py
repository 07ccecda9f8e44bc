"""Thirty-two deploys at once, a third of them killed at random times: `invoke migrate` beside `alembic upgrade head`.

What counts is what the database holds afterwards, and what the exit codes said; the seconds are by the way.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from benchmarks.nothing_pending import PEER_ENV
from stillroom.edges.embedded import EmbeddedServer, find_binaries

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE, KILLED, ROUNDS, ROWS = 32, 11, 5, 400
STEP = '''"""{what}"""

from alembic import op

revision = "{id}"
down_revision = {down!r}


def upgrade():
    {body}


def downgrade():
    raise NotImplementedError
'''
STEPS = (
    ("00000000000a", "op.execute('create table first (n int)'); op.execute('select pg_sleep(0.2)')"),
    ("00000000000b", "op.execute('update account set balance = balance + 10'); op.execute('select pg_sleep(0.2)')"),
    ("00000000000c", "op.execute('alter table account add column note text'); op.execute('select pg_sleep(0.2)')"),
)


@dataclass
class Seen:
    """What the rounds of one contestant came to."""

    codes: Counter[int] = field(default_factory=Counter)
    killed: int = 0
    reruns: Counter[int] = field(default_factory=Counter)
    wrong: int = 0
    tracebacks: int = 0


def main() -> None:
    """Run both in turns and print a table."""
    folder = Path(tempfile.mkdtemp(prefix="stillroom-deploys-"))
    folder.chmod(0o755)
    server = EmbeddedServer(
        folder / "server", binaries=find_binaries(None), environment=dict(os.environ), is_durable=False
    )
    server.start()
    contestants = {
        "invoke migrate": (make_project(folder / "ours", is_peer=False), ["invoke", "migrate"]),
        "alembic upgrade head": (make_project(folder / "peer", is_peer=True), ["alembic", "upgrade", "head"]),
    }
    seed = random.randrange(10**6)
    chance, seen = random.Random(seed), {name: Seen() for name in contestants}
    try:
        for number in range(ROUNDS):
            for name, (project, words) in contestants.items():
                deploy(server, f"{name.split()[0]}{number}", project, words, chance, seen[name])
    finally:
        server.stop(mode="immediate")
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{ROUNDS} rounds of {AT_ONCE} at once, {KILLED} of them killed with SIGKILL between 0.1 and 3 s; seed {seed}"
    )
    for name, each in seen.items():
        print(
            f"{name}: {each.killed} killed; exit codes of the others {dict(each.codes)}, {each.tracebacks} tracebacks; "
            f"rerun {dict(each.reruns)}; wrong at the end: {each.wrong} of {ROUNDS} databases"
        )


def make_project(folder: Path, *, is_peer: bool) -> Path:
    """Write the same three revisions under stillroom's env.py, or under Alembic's generic one."""
    versions = folder / "migrations" / "alembic" / "versions"
    versions.mkdir(parents=True)
    for name in ("alembic.ini", "tasks.py"):
        shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / "src" / "models", folder / "src" / "models")
    for name in ("env.py", "script.py.mako"):
        shutil.copy2(ROOT / "migrations" / "alembic" / name, versions.parent / name)
    down = None
    for revision, body in STEPS:
        text = STEP.format(what=f"step {revision}", id=revision, down=down, body=body)
        (versions / f"20260201_0000_{revision}_step.py").write_text(text)
        down = revision
    if is_peer:
        (versions.parent / "env.py").write_text(PEER_ENV)
    return folder


def deploy(
    server: EmbeddedServer, database: str, project: Path, words: list[str], chance: random.Random, seen: Seen
) -> None:
    """Start all at once, kill some, let the others end, run it once more, and look at the rows."""
    with closing(connect(server, "postgres")) as connection, connection.cursor() as cursor:
        cursor.execute(f"create database {database}")
    with closing(connect(server, database)) as connection, connection.cursor() as cursor:
        cursor.execute(f"create table account as select n as id, 0 as balance from generate_series(1, {ROWS}) as n")
    url = f"postgresql+psycopg2://postgres@/{database}?host={server.socket}"
    environment = {**os.environ, "DATABASE_URL": url, "HOME": str(project)}
    running = [start(words, project, environment) for _ in range(AT_ONCE)]
    began = time.monotonic()
    for at, process in sorted((chance.uniform(0.1, 3), each) for each in chance.sample(running, KILLED)):
        time.sleep(max(0.0, began + at - time.monotonic()))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
    for process in running:
        count(process, seen)
    again = start(words, project, environment)
    again.communicate(timeout=120)
    seen.reruns[again.returncode] += 1
    seen.wrong += not is_right(server, database)


def start(words: list[str], project: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start one deploy."""
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def count(process: subprocess.Popen[str], seen: Seen) -> None:
    """Wait for one to end, and note how."""
    said, _ = process.communicate(timeout=180)
    if process.returncode == -signal.SIGKILL:
        seen.killed += 1
        return
    seen.codes[process.returncode] += 1
    seen.tracebacks += "Traceback" in said


def is_right(server: EmbeddedServer, database: str) -> bool:
    """Each balance grew once, and the database is at head."""
    with closing(connect(server, database)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select array_agg(distinct balance), (select array_agg(version_num) from alembic_version) from account"
        )
        return cursor.fetchone() == ([10], [STEPS[-1][0]])


def connect(server: EmbeddedServer, database: str) -> psycopg2.extensions.connection:
    """Open an autocommit connection as the superuser."""
    connection = psycopg2.connect(host=str(server.socket), port=5432, user="postgres", dbname=database)
    connection.autocommit = True
    return connection


if __name__ == "__main__":
    main()
