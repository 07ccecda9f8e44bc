"""Which TLS parameters a host gets when its URL does not choose them."""

from __future__ import annotations

import pytest

from stillroom.core.tls import is_private, tls_parameters
from stillroom.core.urls import parse_url

CA = "/etc/ssl/ca.crt"


def choose(server: str, query: str = "", *, ca_file: str | None = CA) -> dict[str, str]:
    return tls_parameters(parse_url(f"postgresql://u:p@{server}/shop{query}", source="X"), ca_file=ca_file)


PRIVATE = [
    "localhost", "127.0.0.1", "127.1.2.3", "[::1]", "%2Frun%2Fpg", "", "db", "postgres", "my_service-1", "10.1.2.3",
    "172.16.0.9", "192.168.1.5", "169.254.1.1", "100.100.1.1", "[fd00::1]", "[fe80::1]", "host.docker.internal",
    "db.prod.svc.cluster.local", "db.prod.svc", "nas.home.arpa", "DB.LOCAL", "app.flycast", "LOCALHOST", "localhost.",
    "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "10.1", "0xabg", "db1", "[::ffff:127.0.0.1]", "[fe80::1%25eth0]",
]  # fmt: skip
PUBLIC = [
    "db.example.com", "ep-cool-1.eu-central-1.aws.neon.tech", "8.8.8.8", "172.32.0.1", "[2606:4700::1]", "1.2",
    "127.evil.com", "127.0.0.1.evil.com", "0x08080808", "134744072", "0x8.8.8.8", "010.8.8.8", "8.526344",
    "99999999999", "0x", "[::ffff:8.8.8.8]",
]  # fmt: skip


@pytest.mark.parametrize("server", PRIVATE)
def test_a_private_host_prefers_tls(server: str) -> None:
    assert choose(server) == {"sslmode": "prefer"}


@pytest.mark.parametrize("server", PUBLIC)
def test_a_public_host_is_verified_in_full_where_there_are_authorities(server: str) -> None:
    assert choose(server) == {"sslmode": "verify-full", "sslrootcert": CA}


@pytest.mark.parametrize("server", PUBLIC)
def test_a_public_host_without_authorities_must_prove_the_channel(server: str) -> None:
    assert choose(server, ca_file=None) == {"sslmode": "require", "channel_binding": "require"}


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_sslmode_in_the_url_wins_over_everything(mode: str) -> None:
    assert choose("db.example.com", f"?sslmode={mode}") == {"sslmode": mode}


def test_one_public_host_among_several_makes_all_public() -> None:
    assert choose("localhost,db.example.com")["sslmode"] == "verify-full"
    assert choose("db", "?hostaddr=8.8.8.8")["sslmode"] == "verify-full"


@pytest.mark.parametrize(
    ("server", "query", "expected"),
    [
        ("db.example.com", "?sslrootcert=/own.crt", {"sslmode": "verify-full"}),
        ("db", "?sslrootcert=/own.crt", {"sslmode": "verify-full"}),
        ("localhost", "?sslrootcert=/own.crt", {"sslmode": "prefer"}),
        ("db.example.com", "?sslrootcert=system", {"sslmode": "verify-full", "sslrootcert": CA}),
        ("db", "?sslrootcert=system&sslmode=verify-full", {"sslmode": "verify-full", "sslrootcert": CA}),
        ("db", "?sslrootcert=system&sslmode=require", {"sslmode": "require"}),
        ("db", "?sslmode=verify-full", {"sslmode": "verify-full", "sslrootcert": CA}),
        ("db", "?sslmode=verify-ca", {"sslmode": "verify-ca", "sslrootcert": CA}),
        ("db", "?sslmode=verify-ca&sslrootcert=/own.crt", {"sslmode": "verify-ca"}),
    ],
)
def test_the_file_of_authorities_is_the_urls_own_or_the_machines(
    server: str, query: str, expected: dict[str, str]
) -> None:
    assert choose(server, query) == expected


def test_system_stays_as_it_is_on_a_machine_without_a_bundle() -> None:
    assert choose("db.example.com", "?sslrootcert=system", ca_file=None) == {"sslmode": "verify-full"}


def test_channel_binding_in_the_url_wins() -> None:
    assert choose("db.example.com", "?channel_binding=disable", ca_file=None) == {"sslmode": "require"}


def test_a_host_that_is_no_address_though_it_looks_like_one_is_public() -> None:
    assert not is_private("1.2.3.4.5")


def test_a_tunnel_ends_on_loopback_however_its_address_is_written() -> None:
    for server in ("127.0.0.1", "127.1", "[::1]", "LocalHost.", "[::ffff:127.0.0.1]"):
        assert choose(server, "?sslrootcert=/own.crt") == {"sslmode": "prefer"}
    for server in ("127.evil.com", "127.0.0.1.evil.com"):
        assert choose(server, "?sslrootcert=/own.crt") == {"sslmode": "verify-full"}
