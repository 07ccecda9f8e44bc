"""Fixtures that every test may use: a real server, an empty database in it, and a copy of the example project."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import forking
from tests.counting import PROPERTY, Counted, counts_of
from tests.provision import VERSIONS
from tests.servers import Database, Project, Server, copy_project, discard_home, running_server


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of PostgreSQL versions, and of how often a fault is tried."""
    parser.addoption(
        "--pg-versions",
        default="",
        help="PostgreSQL majors to run the database tests on, as 14,15,16,17,18; default: the embedded server's.",
    )
    parser.addoption(
        "--fault-rounds",
        choices=("short", "long"),
        default="short",
        help="how often tests/faults repeats what depends on chance: a few times, or enough to count.",
    )


def pytest_configure() -> None:
    """Heed Ctrl-C again: started in the background of a script, the tests and all that they start would ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """End the process that the tests' processes were forked from."""
    forking.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was counted, past capture and past the processes that ran the tests."""
    counts = counts_of(terminalreporter)
    if counts:
        terminalreporter.section("counted", sep="-")
        for each in counts:
            terminalreporter.write_line(each)


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Counted:
    """Take a line for the summary: what was tried, and how often."""
    return lambda text: record_property(PROPERTY, text)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """K8: run each test that uses a server once per version."""
    chosen = metafunc.config.getoption("--pg-versions")
    if chosen and "server" in metafunc.fixturenames:
        majors = [int(word) for word in chosen.split(",")]
        unknown = [major for major in majors if major not in VERSIONS]
        if unknown:
            raise pytest.UsageError(f"--pg-versions: no server of {unknown}; there are {sorted(VERSIONS)}")
        metafunc.parametrize("server", majors, indirect=True, scope="session", ids=[f"pg{major}" for major in majors])


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A running server, one for the session and version; the embedded one unless --pg-versions names others."""
    with running_server(getattr(request, "param", None)) as running:
        yield running


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """A fresh empty database, dropped afterwards."""
    made = server.make_database()
    yield made
    made.drop()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A copy of the example project without DATABASE_URL: it means its own embedded server, which is removed after."""
    copied = copy_project(tmp_path / "project")
    yield copied
    discard_home(copied.path / ".stillroom" / "postgres")


@pytest.fixture
def project_on_database(project: Project, database: Database) -> Project:
    """A copy of the example project whose DATABASE_URL is the test's empty database."""
    project.database = database
    project.environment["DATABASE_URL"] = database.url
    return project


@pytest.fixture(scope="session")
def template(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database at head, marked development; nobody connects to it, so that it can be copied."""
    made = server.make_database()
    project = copy_project(tmp_path_factory.mktemp("template") / "project")
    project.environment |= {"DATABASE_URL": made.url, "APP_ENV": "development"}
    done = project.invoke("migrate")
    assert done.code == 0, done.stderr
    yield made
    made.drop()


@pytest.fixture
def migrated(project: Project, server: Server, template: Database) -> Iterator[Project]:
    """A copy of the example project on a database of its own that is at head and marked development."""
    database = server.make_database(template=template.name)
    project.database = database
    project.environment |= {"DATABASE_URL": database.url, "APP_ENV": "development"}
    yield project
    database.drop()
