"""Another Alembic project takes the tasks with one import."""

from __future__ import annotations

from pathlib import Path

from tests.servers import Database, Project

INI = "[alembic]\nscript_location = db\nprepend_sys_path = .\n"
ENV = "from shop import metadata\nfrom stillroom.env import run\n\nrun(metadata, version_table='shop_version')\n"
MODELS = "from sqlalchemy import Column, Integer, MetaData, Table\nmetadata = MetaData()\nTable('shops', metadata, Column('id', Integer, primary_key=True))\n"
TASKS = """from invoke import Collection, task
from stillroom.tasks import ns as database

@task
def hello(c):
    print("hello")

ns = Collection(hello)
ns.add_collection(database, name="db")
"""


def _other_project(folder: Path, database: Database) -> Project:
    files = {"alembic.ini": INI, "db/env.py": ENV, "shop.py": MODELS, "tasks.py": TASKS}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    template = Path(__file__).resolve().parents[2] / "migrations" / "alembic" / "script.py.mako"
    (folder / "db" / "script.py.mako").write_text(template.read_text())
    (folder / "db" / "versions").mkdir()
    return Project(folder, {"DATABASE_URL": database.url, "APP_ENV": "test"}, database)


def test_tasks_in_a_collection_of_another_project_work(tmp_path: Path, database: Database) -> None:
    project = _other_project(tmp_path / "shop", database)

    made = project.invoke("db.make-migration", "-m", "shops")
    migrated = project.invoke("db.migrate")
    again = project.invoke("db.migrate")
    checked = project.invoke("db.check")

    assert made.code == 0, made.stderr
    assert (migrated.code, again.code, checked.code) == (0, 0, 0), migrated.stderr + checked.stdout
    assert "nothing to do" in again.stdout
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from shop_version")
        assert cursor.fetchone() == (1,)


def test_other_tasks_stay_as_they_are(tmp_path: Path, database: Database) -> None:
    project = _other_project(tmp_path / "shop", database)

    done = project.invoke("hello")

    assert done.stdout == "hello\n"
