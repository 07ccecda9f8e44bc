"""Every way to write a database URL, and what libpq and SQLAlchemy make of it."""

from __future__ import annotations

import pickle

import pytest
from sqlalchemy.engine import make_url

from stillroom.core.secrets import Secret
from stillroom.core.urls import DatabaseUrl, parse_url
from stillroom.errors import SettingsError

PASSWORDS = [
    "plain",
    "p%w",
    "100%41",
    "p@ss@w",
    "a:b",
    "a/b/c",
    "a#b",
    "a?b=c",
    "a&b",
    "a+b",
    "a b",
    "a'b",
    'a"b',
    "a\\b",
    "a[b",
    "a]b",
    "$HOME",
    "${HOME}",
    "grün✓",
]


def parse(text: str) -> DatabaseUrl:
    return parse_url(text, source="DATABASE_URL in the environment")


def encode(password: str) -> str:
    return "".join(f"%{byte:02X}" for byte in password.encode())


@pytest.mark.parametrize("password", PASSWORDS)
def test_an_encoded_password_arrives_unchanged_at_libpq(password: str) -> None:
    """F19."""
    url = parse(f"postgresql://app:{encode(password)}@db.example.com:5432/shop")

    assert url.password == Secret(password)
    assert url.libpq()["password"] == password


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg", "asyncpg"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_an_encoded_password_survives_rendering_for_every_driver(password: str, driver: str) -> None:
    """F19."""
    url = parse(f"postgresql://app:{encode(password)}@db.example.com:5432/shop")

    rendered = make_url(url.render(driver))

    assert rendered.drivername == f"postgresql+{driver}"
    assert (rendered.username, rendered.password) == ("app", password)
    assert (rendered.host, rendered.port, rendered.database) == ("db.example.com", 5432, "shop")


@pytest.mark.parametrize("password", PASSWORDS)
def test_what_was_rendered_is_read_back_as_the_same_url(password: str) -> None:
    url = parse(f"postgresql://app:{encode(password)}@db:5432/shop?sslmode=require&application_name=a%20b")

    again = parse(url.render("psycopg2"))

    assert again == url


@pytest.mark.parametrize("password", [word for word in PASSWORDS if word not in {"plain", "$HOME"}])
def test_no_part_of_a_password_is_ever_in_repr_or_shown(password: str) -> None:
    """S03."""
    url = parse(f"postgresql://app:{encode(password)}@db.example.com/shop?sslpassword={encode(password)}")

    seen = f"{url!r} {url} {url.shown} {url.password!r} {url.password}"

    assert password not in seen
    assert encode(password) not in seen


@pytest.mark.parametrize(
    "scheme",
    [
        "postgres",
        "postgresql",
        "POSTGRESQL",
        "postgresql+psycopg2",
        "postgresql+asyncpg",
        "postgresql+psycopg",
        "postgresql+psycopg_async",
        "postgresql+aiopg",
    ],
)
def test_every_scheme_reaches_the_server_through_psycopg2(scheme: str) -> None:
    url = parse(f"{scheme}://app:secret@localhost:5432/shop")

    assert url.render("psycopg2") == "postgresql+psycopg2://app:secret@localhost:5432/shop"


@pytest.mark.parametrize(
    ("text", "host", "port", "shown"),
    [
        ("postgresql://app@localhost/shop", "localhost", "", "shop on localhost as app"),
        ("postgresql://localhost:5433/shop", "localhost", "5433", "shop on localhost:5433"),
        ("postgresql:///shop", "", "", "shop on the local server"),
        ("postgresql://app@[::1]:5433/shop", "::1", "5433", "shop on [::1]:5433 as app"),
        ("postgresql://app@[fe80::1%25eth0]/shop", "fe80::1%eth0", "", "shop on [fe80::1%eth0] as app"),
        ("postgresql:///shop?host=/run/pg", "/run/pg", "", "shop on /run/pg"),
        ("postgresql://app@%2Frun%2Fpg:5433/shop", "/run/pg", "5433", "shop on /run/pg:5433 as app"),
        ("postgresql://app@localhost/shop?host=/run/pg", "/run/pg", "", "shop on /run/pg as app"),
        ("postgresql://a:1,b,[::2]:3/shop", "a,b,::2", "1,,3", "shop on a:1,b,[::2]:3"),
        ("postgresql:///shop?host=a:1&host=b:2", "a,b", "1,2", "shop on a:1,b:2"),
        ("postgresql:///shop?host=a%3A1&host=b%3A2", "a,b", "1,2", "shop on a:1,b:2"),
        ("postgresql:///shop?host=a,b&port=1,2", "a,b", "1,2", "shop on a:1,b:2"),
        ("postgresql:///shop?host=a,b&port=5433", "a,b", "5433", "shop on a:5433,b:5433"),
        ("postgresql:///shop?host=::1&port=5433", "::1", "5433", "shop on [::1]:5433"),
    ],
)
def test_hosts_sockets_and_ports_are_read_as_libpq_reads_them(text: str, host: str, port: str, shown: str) -> None:
    url = parse(text)

    assert (url.host, url.port) == (host, port)
    assert url.shown == shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u@[::1]:5433/shop", {"host": "::1", "port": 5433}),
        ("postgresql://u@/shop?host=/run/pg", {"host": "/run/pg"}),
        ("postgresql://u@a:1,b:2/shop", {"host": "a,b", "port": "1,2"}),
        ("postgresql://u@a,b/shop", {"host": "a,b"}),
    ],
)
def test_sqlalchemy_hands_hosts_to_psycopg2_as_libpq_wants_them(text: str, expected: dict[str, object]) -> None:
    rendered = make_url(parse(text).render("psycopg2"))

    _, arguments = rendered.get_dialect()().create_connect_args(rendered)

    shown = {name: arguments[name] for name in ("host", "port") if arguments.get(name) not in (None, "", ",")}
    assert shown == expected


def test_the_drivers_get_the_parameters_they_know() -> None:
    url = parse("postgresql://u:p@h/shop?sslmode=verify-full&sslrootcert=/ca.pem&application_name=a&connect_timeout=5")

    assert "sslmode=verify-full" in url.render("psycopg")
    assert "connect_timeout=5" in url.render("psycopg")
    rendered = make_url(url.render("asyncpg"))
    assert dict(rendered.query) == {
        "ssl": "verify-full",
        "dsn": "postgresql://?application_name=a&sslrootcert=%2Fca.pem",
    }


def test_asyncpg_gets_a_port_for_each_of_several_hosts() -> None:
    rendered = make_url(parse("postgresql://u@a:1,b/shop").render("asyncpg"))

    assert dict(rendered.query) == {"host": "a,b", "port": "1,5432"}


def test_an_unknown_driver_is_named() -> None:
    with pytest.raises(SettingsError, match="pymysql"):
        parse("postgresql://u@h/shop").render("pymysql")


def test_the_schema_reaches_the_application_as_its_search_path() -> None:
    url = parse("postgresql://u@h/shop?schema=My%20App")

    assert url.search_path == '"My App"'
    assert make_url(url.render("psycopg2")).query["options"] == '-csearch_path="My\\ App"'
    assert make_url(url.render("asyncpg")).query["dsn"] == "postgresql://?search_path=%22My%20App%22"


def test_libpq_parameters_hold_nothing_blank_and_guard_the_password() -> None:
    assert parse("postgresql:///shop").libpq() == {"dbname": "shop"}
    assert parse("postgresql://u@h/shop").libpq()["require_auth"] == "!password"
    assert parse("postgresql://u@h/shop?require_auth=password").libpq()["require_auth"] == "password"
    assert "require_auth" not in parse("postgresql://u@h/shop?sslmode=verify-full").libpq()


def test_a_url_reaches_another_process_whole() -> None:
    url = parse("postgresql://u:p%40@h/shop?sslmode=require")

    assert pickle.loads(pickle.dumps(url)) == url
