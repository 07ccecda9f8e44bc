"""TLS to a real server, and servers that ask for what nobody should give: who is trusted, with what, and what is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stillroom.edges.pg_tools import find_tools
from tests.commands.support import HEAD
from tests.faults.certificates import Authority, make_authority
from tests.faults.fake_server import fake_server
from tests.faults.own_server import OwnServer, discard, give, new_server
from tests.provision import provision
from tests.servers import Finished, Project

HOST, SECRET = "db.example.com", "gehe1m"
HERE = {"hostaddr": "127.0.0.1"}
"""The name is what TLS checks; the address is where it is here."""
REFUSES_CLEAR_TEXT = 'authentication method requirement "!password" failed: server requested a cleartext password'
MAJOR = 14  # the embedded wheel's server is built without TLS


@dataclass(frozen=True)
class Secured:
    """A server with a certificate for HOST: `app` answers by SCRAM, `plain` in clear text, both over TLS only.

    Args:
        server: It.
        ours: The authority that signed its certificate.
        theirs: Another one.
    """

    server: OwnServer
    ours: Authority
    theirs: Authority

    def ask(self, project: Project, user: str = "app", *, task: str = "status", host: str = HOST, env: dict[str, str] | None = None,
            **options: str) -> Finished:  # fmt: skip
        """Run a task on its database."""
        url = self.server.url("shop", user=user, password=SECRET, host=host, **HERE, **options)
        return project.invoke(task, env={"DATABASE_URL": url} | (env or {}))


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Run it for the module."""
    folder = tmp_path_factory.mktemp("authorities")
    ours, theirs = make_authority(folder, "ours"), make_authority(folder, "theirs")
    server = new_server(provision(MAJOR))
    try:
        certificate, key = ours.issue(server.folder, HOST)
        for path in (certificate, key):
            give(path, server.programs.account)
        server.settings = {
            "ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key),
            "password_encryption": "scram-sha-256", "log_connections": "on",
        }  # fmt: skip
        server.make()
        server.let_in(
            "hostssl all app 127.0.0.1/32 scram-sha-256",
            "hostssl all plain 127.0.0.1/32 password",
        )
        server.start()
        for role in ("app", "plain"):
            server.query(f"create role {role} login password '{SECRET}'")
        server.query("grant app to plain")
        server.query("create database shop owner app")
        yield Secured(server, ours, theirs)
    finally:
        discard(server)


def refused(done: Finished, said: str) -> bool:
    """Require an error of one line with a hint, exit 4, and no secret; say whether it holds these words."""
    lines = done.stderr.splitlines()
    assert (done.code, len(lines)) == (4, 2), done
    assert lines[1].startswith("hint:  ")
    assert SECRET not in done.stderr + done.stdout
    return said in lines[0]


def test_a_verified_server_is_migrated_over_tls(project: Project, secured: Secured) -> None:
    """S28: a public name asks for verify-full; our authority's file is enough, and SCRAM goes through TLS."""
    done = secured.ask(project, task="migrate", sslrootcert=str(secured.ours.certificate))

    assert done.code == 0, done.stderr
    assert secured.server.query("select version_num from alembic_version", database="shop") == [(HEAD,)]
    came = [line for line in secured.server.log.splitlines() if "application_name=stillroom migrate" in line]
    assert came
    assert all("SSL enabled (protocol=TLSv1.3" in line for line in came)
    assert 'identity="app" method=scram-sha-256' in secured.server.log


def test_the_machines_authorities_are_asked_where_the_url_names_none(project: Project, secured: Secured) -> None:
    """S28: `sslrootcert=system` and no sslrootcert at all take SSL_CERT_FILE, which psycopg2's own OpenSSL does not."""
    env = {"SSL_CERT_FILE": str(secured.ours.certificate)}

    without, system = secured.ask(project, env=env), secured.ask(project, env=env, sslrootcert="system")

    assert [without.code, system.code] == [0, 0], (without, system)


def test_a_server_that_cannot_be_verified_is_refused(project: Project, secured: Secured) -> None:
    """S28: an unknown authority, the wrong one, a certificate for another name: one line, what to give in the hint."""
    unknown = secured.ask(project)
    wrong = secured.ask(project, sslrootcert=str(secured.theirs.certificate))
    name = secured.ask(project, host="other.example.com", sslrootcert=str(secured.ours.certificate))

    for done in (unknown, wrong):
        assert refused(done, f"shop on {HOST}:{secured.server.port} as app: SSL error: certificate verify failed")
        assert "`?sslrootcert=<file>`, or `?sslmode=require`" in done.stderr
    assert refused(name, f'server certificate for "{HOST}" does not match host name "other.example.com"')


def test_the_urls_own_sslmode_wins(project: Project, secured: Secured) -> None:
    """S28: `require` trusts unseen, with channel binding if that is asked for; `disable` meets a server that wants TLS."""
    require = secured.ask(project, sslmode="require")
    bound = secured.ask(project, sslmode="require", channel_binding="require")
    disable = secured.ask(project, sslmode="disable")

    assert [require.code, bound.code] == [0, 0], (require, bound)
    assert refused(disable, "no pg_hba.conf entry for host")


def test_doctor_says_how_sure_we_are_of_the_server(project: Project, secured: Secured) -> None:
    """S28: and that the tools of the embedded wheel, which know no TLS, make no backup of it."""
    has_tools = any(each.has_tls and each.major >= MAJOR for each in find_tools(None, project.full_environment()))
    ca = str(secured.ours.certificate)

    verified = secured.ask(project, task="doctor", sslrootcert=ca)
    unverified = secured.ask(project, task="doctor", sslmode="require")
    refused = secured.ask(project, task="doctor")

    assert "ok       tls: TLS, and the server's certificate is verified (sslmode=verify-full)" in verified.stdout
    assert (
        "warning  tls: TLS, but nobody has verified whose server it is (sslmode=require) → `?sslmode=verify-full"
        in unverified.stdout
    )
    assert ("problem  pg-dump-missing: " in verified.stdout) != has_tools
    assert refused.code == 6
    assert "problem  connection: " in refused.stdout
    assert "certificate verify failed → give the server's own CA in the URL" in refused.stdout
    assert SECRET not in verified.stdout + unverified.stdout + refused.stdout


def test_a_clear_text_password_goes_to_a_verified_server_only(project: Project, secured: Secured) -> None:
    """S29: over TLS that nobody verified it is kept, unless the URL asks for it by name."""
    ca = str(secured.ours.certificate)

    verified = secured.ask(project, "plain", sslrootcert=ca)
    unverified = secured.ask(project, "plain", sslmode="require")
    by_name = secured.ask(project, "plain", sslmode="require", require_auth="password")
    bound = secured.ask(project, "plain", sslrootcert=ca, channel_binding="require")

    assert [verified.code, by_name.code] == [0, 0], (verified, by_name)
    assert refused(unverified, REFUSES_CLEAR_TEXT)
    assert refused(bound, "channel binding required but not supported by server's authentication request")


@pytest.mark.parametrize(
    ("host", "options", "said"),
    [
        ("127.0.0.1", "", REFUSES_CLEAR_TEXT),
        ("db.internal", "?hostaddr=127.0.0.1", REFUSES_CLEAR_TEXT),
        (HOST, "?hostaddr=127.0.0.1&sslmode=prefer", REFUSES_CLEAR_TEXT),
        (HOST, "?hostaddr=127.0.0.1", "server does not support SSL, but SSL was required"),
    ],
    ids=["loopback", "private name", "public name, prefer", "public name"],
)
def test_a_fake_server_without_tls_gets_no_password(project: Project, host: str, options: str, said: str) -> None:
    """S28, S29: it says no to TLS and asks for the password in clear text."""
    with fake_server() as fake:
        done = project.invoke(
            "migrate", env={"DATABASE_URL": f"postgresql://app:{SECRET}@{host}:{fake.port}/shop{options}"}
        )

    assert refused(done, said)
    assert bytes(fake.heard) == b""
    assert fake.asked == (0 if "SSL" in said else 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("&sslmode=require", REFUSES_CLEAR_TEXT),
        ("&sslrootcert={ours}", "certificate verify failed"),
        ("&sslmode=require&require_auth=scram-sha-256", "server requested a cleartext password"),
    ],
    ids=["unverified", "verified by our authority", "only SCRAM"],
)
def test_a_fake_server_with_anybodys_certificate_gets_no_password(
    options: str, said: str, project: Project, secured: Secured, tmp_path: Path
) -> None:
    """S28, S29: it says yes to TLS, as a server in the middle does."""
    with fake_server(secured.theirs.issue(tmp_path, HOST)) as fake:
        tail = "?hostaddr=127.0.0.1" + options.format(ours=secured.ours.certificate)
        done = project.invoke(
            "migrate", env={"DATABASE_URL": f"postgresql://app:{SECRET}@{HOST}:{fake.port}/shop{tail}"}
        )

    assert refused(done, said)
    assert bytes(fake.heard) == b""
