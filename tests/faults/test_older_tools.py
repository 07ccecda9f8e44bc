"""Client programs older than 16 do not know `require_auth`: what keeps them from giving the password to whoever asks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.backing import names
from tests.faults.certificates import make_authority
from tests.faults.fake_server import Middle, fake_server
from tests.faults.own_server import OwnServer, discard, give, new_server
from tests.provision import provision
from tests.servers import Project

MAJOR = 15
SECRET = "gehe1m-Pw9"
HOST = "db.internal"


@pytest.fixture(scope="module")
def elder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """A server of 15 that has TLS and does not insist on it: `app` answers by SCRAM, `old` by MD5."""
    authority = make_authority(tmp_path_factory.mktemp("authority"), "ours")
    server = new_server(provision(MAJOR))
    try:
        certificate, key = authority.issue(server.folder, HOST)
        for path in (certificate, key):
            give(path, server.programs.account)
        server.settings = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
        server.make()
        server.let_in("host all app 127.0.0.1/32 scram-sha-256", "host all old 127.0.0.1/32 md5")
        server.start()
        server.query(f"create role app login createdb password '{SECRET}'")
        server.query(f"set password_encryption = 'md5'; create role old login createdb password '{SECRET}'")
        server.query("grant app to old")
        server.query("create database shop owner app")
        yield server
    finally:
        discard(server)


def tools_that_tell(folder: Path, turned: Path) -> str:
    """Put scripts before the programs of 15 that leave a file as soon as they are about to connect."""
    folder.mkdir()
    for program in ("pg_dump", "pg_restore", "psql"):
        real = shlex.quote(str(provision(MAJOR).folder / program))
        probe = 'case "$*" in *--version*|*--format=custom*) exec "$real" "$@";; esac'
        script = folder / program
        script.write_text(f'#!/bin/sh\nreal={real}\n{probe}\ntouch {shlex.quote(str(turned))}\nexec "$real" "$@"\n')
        script.chmod(0o755)
    return str(folder)


def url(port: int, options: str = "", user: str = "app") -> str:
    return f"postgresql://{user}:{SECRET}@{HOST}:{port}/shop?hostaddr=127.0.0.1{options}"


@pytest.mark.parametrize(
    ("options", "has_tls", "said"),
    [
        ("&sslmode=disable", False, 'requirement "!password" failed: server requested a cleartext password'),
        ("", True, "channel binding required but not supported by server's authentication request"),
        ("&sslmode=require", True, "channel binding required but not supported by server's authentication request"),
    ],
    ids=["without TLS", "TLS that nobody verified", "TLS that was asked for"],
)
def test_a_man_in_the_middle_gets_no_password_from_older_tools(
    project: Project, elder: OwnServer, tmp_path: Path, options: str, has_tls: bool, said: str
) -> None:
    """S29: our own connections reach the real server; when pg_dump comes, it is asked for the password in clear text."""
    turned = tmp_path / "turned"
    certificate = make_authority(tmp_path, "anybody").issue(tmp_path, HOST) if has_tls else None
    project.environment["STILLROOM_PG_BIN"] = tools_that_tell(tmp_path / "tools", turned)
    assert project.invoke("migrate", env={"DATABASE_URL": elder.url("shop", user="app", password=SECRET)}).code == 0

    with fake_server(certificate, middle=Middle(elder.port, turned.exists)) as fake:
        done = project.invoke("backup", env={"DATABASE_URL": url(fake.port, options)})

    assert fake.asked > 0
    assert bytes(fake.heard) == b""
    assert done.code == 5, done
    assert said in done.stderr
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "user"),
    [("&sslmode=disable", "app"), ("&sslmode=disable", "old"), ("", "app"), ("&sslmode=require", "app")],
    ids=["SCRAM without TLS", "MD5 without TLS", "SCRAM over TLS", "SCRAM over TLS that was asked for"],
)
def test_older_tools_go_on_working(project: Project, elder: OwnServer, tmp_path: Path, options: str, user: str) -> None:
    """S29: a backup and a restore with 15's own tools, by a name that is private and prefers TLS."""
    project.environment |= {
        "STILLROOM_PG_BIN": tools_that_tell(tmp_path / "tools", tmp_path / "ran"), "APP_ENV": "development",
        "DATABASE_URL": url(elder.port, options, user),
    }  # fmt: skip
    assert project.invoke("migrate").code == 0

    backup = project.invoke("backup")
    restore = project.invoke("restore", names(project)[0], "--into", f"copy_{tmp_path.name[-20:]}".lower())

    assert backup.code == 0, backup.stderr
    assert restore.code == 0, restore.stderr
    assert "pg_dump 15" in backup.stderr


@pytest.mark.parametrize("is_fake", [True, False], ids=["in the middle", "the server itself"])
def test_an_older_psql_is_held_to_it_too(project: Project, elder: OwnServer, tmp_path: Path, is_fake: bool) -> None:
    """S29: `server.psql` on a server without TLS."""
    turned = tmp_path / "turned"
    project.environment["STILLROOM_PG_BIN"] = tools_that_tell(tmp_path / "tools", turned)

    with fake_server(middle=Middle(elder.port, lambda: is_fake and turned.exists())) as fake:
        done = project.invoke(
            "server.psql", env={"DATABASE_URL": url(fake.port, "&sslmode=disable")}, input="select 6 * 7;"
        )

    assert bytes(fake.heard) == b""
    assert done.code == (5 if is_fake else 0), done
    assert ("server requested a cleartext password" if is_fake else "42") in done.stderr + done.stdout


@pytest.mark.parametrize("place", ["home", "environment", "URL"])
def test_a_password_file_is_enough_for_older_tools(
    project: Project, elder: OwnServer, tmp_path: Path, place: str
) -> None:
    """S29: its line names the server, which the tools do not see where they go through our socket."""
    file = Path(project.full_environment({})["HOME"], ".pgpass") if place == "home" else tmp_path / "passfile"
    file.write_text(f"{HOST}:{elder.port}:*:app:{SECRET}\n")
    file.chmod(0o600)
    if place == "environment":
        project.environment["PGPASSFILE"] = str(file)
    option = f"&passfile={file}" if place == "URL" else ""
    project.environment |= {
        "STILLROOM_PG_BIN": tools_that_tell(tmp_path / "tools", tmp_path / "ran"),
        "DATABASE_URL": url(elder.port, f"&sslmode=disable{option}").replace(f":{SECRET}", ""),
    }
    assert project.invoke("migrate").code == 0

    done = project.invoke("backup")

    assert done.code == 0, done.stderr
