"""Twelve honest set-ups, nothing set beyond URL and APP_ENV: no common task is refused (F102's other side)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.honest import (
    a_working_day,
    with_hosts,
)
from tests.faults.own_server import OwnServer, own_server
from tests.servers import Project

PASSWORD = "s3cret of the team"


@pytest.fixture(scope="module")
def team_server() -> Iterator[OwnServer]:
    """A server that asks for a password over TCP, as images and managed servers do."""
    with own_server(hba=["host all all 127.0.0.1/32 scram-sha-256"]) as running:
        running.query("alter role postgres password %s", PASSWORD)
        yield running


def test_a_laptop_without_any_setting(project: Project) -> None:
    """The embedded server; nothing but PATH, HOME and LANG is in the environment."""
    results = a_working_day(project, "reset-dev")

    assert results[4]["backup"]["tables"] == 5
    assert len(results[-1]["applied"]) == 4


def test_a_compose_service_called_db(project: Project, team_server: OwnServer) -> None:
    """The host is `db`, the password is asked for, and the role is the database's owner, as POSTGRES_USER is."""
    team_server.query("create role app superuser login password %s", PASSWORD)
    team_server.query("create database app owner app")
    url = team_server.url("app", user="app", password=PASSWORD, host="db")
    project.environment |= {"DATABASE_URL": url, "APP_ENV": "development"}

    results = a_working_day(project, "reset-dev --yes", prefix=with_hosts(project, db="127.0.0.1"))

    assert results[0]["mark"] is None
    assert not results[-2]["is_protected"]


def test_a_ci_service_called_postgres(project: Project, team_server: OwnServer) -> None:
    """CI=true, no terminal, the superuser, a fresh database, APP_ENV=test."""
    team_server.query("create database test_db")
    url = team_server.url("test_db", password=PASSWORD, host="postgres")
    project.environment |= {"DATABASE_URL": url, "APP_ENV": "test", "CI": "true"}

    results = a_working_day(project, "reset-dev --yes", prefix=with_hosts(project, postgres="127.0.0.1"))

    assert results[-2]["mark"] == "test"
