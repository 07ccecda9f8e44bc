"""`invoke check` against `alembic check` at 1,000 tables, and make-migration up to its review against `alembic revision --autogenerate` at 100."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pexpect

from benchmarks.measure import Contestant, race
from benchmarks.nothing_pending import make_projects
from stillroom.edges.embedded import EmbeddedServer, find_binaries

MODELS = """from datetime import datetime

from sqlalchemy import DateTime, text
from sqlmodel import Field, SQLModel

for number in range({count}):
    exec(f'''
class T{{number}}(SQLModel, table=True):
    __tablename__ = "t{{number}}"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=50, index=True)
    kind: str = Field(default="draft", sa_column_kwargs={{{{"server_default": "draft"}}}})
    is_done: bool = Field(default=False, sa_column_kwargs={{{{"server_default": text("false")}}}})
    at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={{{{"server_default": text("now()")}}}})
    parent_id: int | None = Field(default=None, foreign_key="t{{max(number - 1, 0)}}.id", index=True)
''')
"""
MORE = """

class More(SQLModel, table=True):
    __tablename__ = "more"
    id: int | None = Field(default=None, primary_key=True)
"""
ROUNDS = 7
REVIEW = "[a]ccept, accept and [m]igrate"


def write_models(projects: tuple[Path, Path], text: str) -> None:
    """Give both projects the same models."""
    for each in projects:
        models = each / "src" / "models"
        for old in models.glob("*.py"):
            old.unlink()
        (models / "__init__.py").write_text(text)


def build(peer: Path, ours: Path, environment: dict[str, str], count: int) -> None:
    """Bring the database to the models by a revision that both have."""
    run = [sys.executable, "-m", "alembic"]
    subprocess.run(
        [*run, "revision", "--autogenerate", "-m", "all"], cwd=ours, env=environment, check=True, capture_output=True
    )
    (made,) = (ours / "migrations" / "alembic" / "versions").glob("*.py")
    (peer / "migrations" / "alembic" / "versions" / made.name).write_text(made.read_text())
    subprocess.run([*run, "upgrade", "head"], cwd=ours, env=environment, check=True, capture_output=True)
    print(f"{count} tables are there", flush=True)


def from_enter_to_review(project: Path, environment: dict[str, str]) -> float:
    """Type make-migration in a terminal, wait for the question of the review, discard; return seconds."""
    started = time.monotonic()
    child = pexpect.spawn(
        sys.executable,
        ["-m", "invoke", "make-migration", "-m", "more", "--no-edit"],
        cwd=str(project),
        env={**environment, "TERM": "dumb"},  # type: ignore[arg-type]
        timeout=120,
        encoding="utf-8",
    )
    child.expect_exact(REVIEW)
    seconds = time.monotonic() - started
    child.sendline("d")
    child.expect(pexpect.EOF)
    return seconds


def to_a_file(project: Path, environment: dict[str, str]) -> float:
    """Let plain Alembic write the revision, and remove it; return seconds."""
    versions = project / "migrations" / "alembic" / "versions"
    known = set(versions.glob("*.py"))
    command = [sys.executable, "-m", "alembic", "revision", "--autogenerate", "-m", "more"]
    started = time.monotonic()
    subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)
    seconds = time.monotonic() - started
    for each in set(versions.glob("*.py")) - known:
        each.unlink()
    return seconds


def race_to_the_review(ours: Path, peer: Path, environment: dict[str, str]) -> None:
    """Both in turns."""
    seen: dict[str, list[float]] = {"alembic": [], "ours": []}
    for _ in range(ROUNDS + 1):
        seen["alembic"].append(to_a_file(peer, environment))
        seen["ours"].append(from_enter_to_review(ours, environment))
    one, other = (statistics.median(each[1:]) for each in seen.values())
    print(f"\nfrom Enter to the review, 100 tables ({ROUNDS} rounds, medians of wall seconds)")
    print(
        f"  alembic revision --autogenerate  {one:.3f} s\n  invoke make-migration            {other:.3f} s  ratio {other / one:.2f}"
    )


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "APP_ENV": "development"}
        environment["COLUMNS"] = "200"
        for count in (1000, 100):
            server = EmbeddedServer(
                folder / f"server{count}",
                binaries=find_binaries(None),
                environment=environment,
                is_durable=False,
                dies_with_parent=True,
            )
            server.start()
            environment["DATABASE_URL"] = server.url.render("psycopg2")
            try:
                (folder / str(count)).mkdir()
                ours, peer = make_projects(folder / str(count), 0)
                write_models((ours, peer), MODELS.format(count=count))
                build(peer, ours, environment, count)
                if count == 1000:
                    race(
                        "check, 1000 tables",
                        Contestant("alembic check", [sys.executable, "-m", "alembic", "check"], peer, environment),
                        [Contestant("invoke check", [sys.executable, "-m", "invoke", "check"], ours, environment)],
                        rounds=ROUNDS,
                    )
                else:
                    write_models((ours, peer), MODELS.format(count=count) + MORE)
                    race_to_the_review(ours, peer, environment)
            finally:
                server.stop(mode="immediate")


if __name__ == "__main__":
    main()
