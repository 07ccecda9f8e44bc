"""`invoke migrate` and `invoke status` with nothing pending, against `alembic upgrade head` of the same revisions and models."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Contestant, race
from stillroom.edges.embedded import EmbeddedServer, find_binaries

ROOT = Path(__file__).resolve().parent.parent
REVISION = '''"""step {number}

Revision ID: {id}
Revises: {down}
Create Date: 2026-01-13 14:02:11
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = {id!r}
down_revision: str | Sequence[str] | None = {down!r}
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table("t{number}", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade() -> None:
    op.drop_table("t{number}")
'''
PEER_ENV = """from alembic import context
from models import SQLModel
from sqlalchemy import create_engine, pool
import os

connectable = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
with connectable.connect() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""


def make_projects(folder: Path, count: int) -> tuple[Path, Path]:
    """Write the same revisions twice: once under stillroom's env.py, once under Alembic's generic one."""
    ours, peer = folder / f"ours{count}", folder / f"peer{count}"
    for each in (ours, peer):
        for name in ("alembic.ini", "tasks.py"):
            each.mkdir(exist_ok=True)
            shutil.copy2(ROOT / name, each / name)
        shutil.copytree(ROOT / "src" / "models", each / "src" / "models")
        versions = each / "migrations" / "alembic" / "versions"
        versions.mkdir(parents=True)
        for name in ("env.py", "script.py.mako"):
            shutil.copy2(ROOT / "migrations" / "alembic" / name, versions.parent / name)
        down = None
        for number in range(count):
            name = f"{number:012x}"
            (versions / f"20260113_1402_{name}_step.py").write_text(REVISION.format(number=number, id=name, down=down))
            down = name
    (peer / "migrations" / "alembic" / "env.py").write_text(PEER_ENV)
    return ours, peer


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        server = EmbeddedServer(
            folder / "server",
            binaries=find_binaries(None),
            environment=environment,
            is_durable=False,
            dies_with_parent=True,
        )
        server.start()
        environment["DATABASE_URL"] = server.url.render("psycopg2")
        try:
            for count in (10, 1000):
                ours, peer = make_projects(folder, count)
                upgrade = [sys.executable, "-m", "alembic", "upgrade", "head"]
                subprocess.run(upgrade, cwd=peer, env=environment, check=True, capture_output=True)
                race(
                    f"nothing pending, {count} revisions",
                    Contestant("alembic upgrade head", upgrade, peer, environment),
                    [
                        Contestant("invoke migrate", [sys.executable, "-m", "invoke", "migrate"], ours, environment),
                        Contestant("invoke status", [sys.executable, "-m", "invoke", "status"], ours, environment),
                    ],
                )
                subprocess.run(
                    [sys.executable, "-m", "alembic", "downgrade", "base"],
                    cwd=peer,
                    env=environment,
                    check=True,
                    capture_output=True,
                )
        finally:
            server.stop(mode="immediate")


if __name__ == "__main__":
    main()
