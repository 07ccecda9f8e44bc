"""Which database is meant, and when the embedded server is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from stillroom.errors import SettingsError
from tests.settings_project import URL, Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path / "project", monkeypatch)


def refused(project: Project) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        project.load()
    assert "geheim" not in f"{caught.value!r} {caught.value.hint}"
    return caught.value


@pytest.mark.parametrize("environment", ["", "development", "dev", "local", "test", "ci"])
def test_without_a_url_the_embedded_server_is_meant(project: Project, environment: str) -> None:
    settings = project.environ(APP_ENV=environment).load()

    assert settings.database is None
    assert settings.migrating_url is None
    assert settings.embedded_home == project.root / ".stillroom" / "postgres"


def test_the_embedded_servers_url_names_its_socket(project: Project) -> None:
    url = make_url(project.environ(PGPORT="9999").load().url_for("psycopg2"))

    assert (url.username, url.database) == ("postgres", "todo_chatbot")
    assert str(url.query["host"]).startswith("/")
    assert url.query["port"] == "5432"


@pytest.mark.parametrize("environment", ["staging", "prod", "production", "demo"])
def test_a_protected_environment_without_a_url_is_refused(project: Project, environment: str) -> None:
    """F18."""
    error = refused(project.environ(APP_ENV=environment))

    assert error.exit_code == 2
    assert "DATABASE_URL is not set" in error.message
    assert error.hint == "`DATABASE_URL=postgresql://user:password@host:5432/database`"


@pytest.mark.parametrize("name", ["PGHOST", "POSTGRES_HOST", "POSTGRES_SERVER", "KUBERNETES_SERVICE_HOST"])
@pytest.mark.parametrize("is_in_file", [True, False])
def test_a_hint_at_a_server_that_was_meant_is_refused(project: Project, name: str, is_in_file: bool) -> None:
    if is_in_file:
        project.dotenv(f"{name}=10.0.0.7\n")
    else:
        project.environ(**{name: "10.0.0.7"})

    assert f"{name} is set" in refused(project).message


def test_the_hint_is_the_line_to_write_as_far_as_it_is_known(project: Project) -> None:
    project.environ(POSTGRES_HOST="db", POSTGRES_USER="app", POSTGRES_DB="shop", POSTGRES_PASSWORD="geheim")

    assert refused(project).hint == "`DATABASE_URL=postgresql://app:password@db:5432/shop`"


@pytest.mark.parametrize("name", ["DATABASE_URL", "MIGRATION_DATABASE_URL", "DATABASE_URL_FILE"])
def test_a_blank_value_is_refused(project: Project, name: str) -> None:
    """F18."""
    assert refused(project.environ(**{name: " "})).message == f"{name} in the environment: the value is blank"


def test_a_blank_value_in_the_environment_hides_the_one_in_dotenv_and_is_refused(project: Project) -> None:
    project.dotenv(f"DATABASE_URL={URL}\n").environ(DATABASE_URL="")

    assert "blank" in refused(project).message


def test_the_url_may_lie_in_a_mounted_secret(project: Project) -> None:
    secrets = project.root.parent / "secrets"
    (secrets / "..data").mkdir(parents=True)
    (secrets / "..data" / "url").write_text(URL + "\n")
    (secrets / "url").symlink_to("..data/url")
    project.environ(DATABASE_URL_FILE=str(secrets / "url"))

    settings = project.load()

    assert settings.database is not None
    assert settings.database.shown == "shop on localhost:5432 as app"
    assert project.source("DATABASE_URL") == "DATABASE_URL_FILE"


@pytest.mark.parametrize(
    "content", ["", "\n", "postgresql://app:geheim@db/shop \n", "postgresql://app:geheim@db/shop\n\nx"]
)
def test_a_secret_that_holds_no_url_is_refused(project: Project, content: str) -> None:
    """F18."""
    (project.root / "url").write_text(content)

    assert refused(project.environ(DATABASE_URL_FILE="url")).message.startswith("DATABASE_URL in DATABASE_URL_FILE: ")


def test_a_secret_that_is_not_there_or_no_file_is_refused(project: Project) -> None:
    """F24."""
    assert "no such file" in refused(project.environ(DATABASE_URL_FILE="absent")).message

    os.mkfifo(project.root / "fifo")

    assert "no regular file" in refused(project.environ(DATABASE_URL_FILE="fifo")).message


def test_a_url_in_place_of_the_path_is_refused_and_not_shown(project: Project) -> None:
    """S03."""
    assert "a path is meant" in refused(project.environ(DATABASE_URL_FILE=URL)).message


def test_url_and_file_at_one_level_are_refused(project: Project) -> None:
    (project.root / "url").write_text(URL)

    assert (
        "DATABASE_URL_FILE is set beside it"
        in refused(project.environ(DATABASE_URL=URL, DATABASE_URL_FILE="url")).message
    )


def test_a_secret_in_the_environment_wins_over_a_url_in_dotenv(project: Project) -> None:
    (project.root / "url").write_text("postgresql://app:geheim@db/mounted")
    settings = project.dotenv(f"DATABASE_URL={URL}\n").environ(DATABASE_URL_FILE="url").load()

    assert settings.database is not None
    assert settings.database.name == "mounted"
    assert settings.notes == ("DATABASE_URL_FILE: the environment wins over .env",)


def test_a_direct_url_is_the_way_migrations_take(project: Project) -> None:
    project.environ(
        DATABASE_URL="postgresql://app:geheim@pooler:6432/shop",
        MIGRATION_DATABASE_URL="postgresql://own:geheim@db/shop",
    )

    settings = project.load()

    assert settings.migrating_url is not None
    assert settings.migrating_url.shown == "shop on db as own"
    assert "pooler:6432" in settings.url_for("asyncpg")


def test_a_direct_url_to_another_database_is_refused(project: Project) -> None:
    error = refused(project.environ(DATABASE_URL=URL, MIGRATION_DATABASE_URL="postgresql://own:geheim@db/other"))

    assert "names the database other" in error.message
    assert '`DATABASE_URL="$MIGRATION_DATABASE_URL" invoke migrate`' in error.hint


def test_a_pooler_that_calls_the_database_by_another_name_is_passed_by_as_the_hint_says(project: Project) -> None:
    direct = "postgresql://own:geheim@db/shop"
    project.dotenv(f"DATABASE_URL=postgresql://app:geheim@pooler:6432/alias\nMIGRATION_DATABASE_URL={direct}\n")

    settings = project.environ(DATABASE_URL=direct).load()

    assert settings.migrating_url is not None
    assert settings.migrating_url.shown == "shop on db as own"


def test_a_direct_url_alone_stands_for_both(project: Project) -> None:
    settings = project.environ(MIGRATION_DATABASE_URL=URL).load()

    assert settings.database == settings.migrating_url
    assert settings.database is not None


@pytest.mark.parametrize("url", [URL, URL.replace("geheim", "geh%%65im")])
def test_the_url_of_alembic_ini_is_the_last_resort(project: Project, url: str) -> None:
    (project.root / "alembic.ini").write_text(f"[alembic]\nsqlalchemy.url = {url}\n")

    settings = project.load()

    assert settings.database is not None
    assert settings.database.libpq()["password"] == "geheim"
    assert project.source("DATABASE_URL") == "alembic.ini"
    assert project.environ(DATABASE_URL="postgresql://localhost/x").source("DATABASE_URL") == "environment"


@pytest.mark.parametrize(
    "line", ["sqlalchemy.url =", "# sqlalchemy.url = x", "sqlalchemy.url = driver://user:pass@localhost/dbname"]
)
def test_an_ini_without_a_url_of_its_own_means_the_embedded_server(project: Project, line: str) -> None:
    (project.root / "alembic.ini").write_text(f"[alembic]\n{line}\n")

    assert project.load().database is None


def test_an_ini_that_does_not_parse_shows_none_of_its_lines(project: Project) -> None:
    """S03."""
    (project.root / "alembic.ini").write_text(f"[alembic]\nsqlalchemy.url = {URL}\n[alembic]\n")

    assert refused(project).message == "alembic.ini: the file does not parse"


def test_what_libpq_takes_from_the_environment_is_put_in_and_named(project: Project) -> None:
    project.environ(DATABASE_URL="postgresql:///shop", PGHOST="db", PGPORT="5433", PGUSER="app", PGPASSWORD="geheim")
    project.environ(PGSSLMODE="require")

    settings = project.load()

    assert settings.database is not None
    assert settings.database.shown == "shop on db:5433 as app"
    assert settings.database.libpq()["password"] == "geheim"
    assert settings.database.options == (("sslmode", "require"),)
    assert "geheim" not in repr(settings)


def test_tls_is_chosen_at_load_and_shown_as_a_default(project: Project) -> None:
    (project.root / "ca.pem").write_text("")
    project.environ(
        DATABASE_URL="postgresql://app:geheim@db.example.com/shop", SSL_CERT_FILE=str(project.root / "ca.pem")
    )

    settings = project.load()

    assert settings.database is not None
    assert dict(settings.database.options)["sslmode"] == "verify-full"
    assert dict(settings.database.options)["sslrootcert"] == str(project.root / "ca.pem")
    assert project.source("DATABASE_URL sslmode") == "default"
    assert settings.notes == ()


def test_libpqs_own_file_of_authorities_comes_before_the_machines(project: Project) -> None:
    own = project.root / "home" / ".postgresql" / "root.crt"
    own.parent.mkdir(parents=True)
    own.write_text("")

    settings = project.environ(DATABASE_URL="postgresql://app:geheim@db.example.com/shop").load()

    assert settings.database is not None
    assert dict(settings.database.options)["sslrootcert"] == str(own)


def test_translated_parameters_are_said_and_the_schema_becomes_the_search_path(project: Project) -> None:
    settings = project.environ(DATABASE_URL=URL + "?schema=app&pgbouncer=true").load()

    assert settings.search_path == "app"
    assert settings.notes[0] == "DATABASE_URL: `schema=` became the search_path app"
    assert settings.notes[1].startswith("DATABASE_URL: `pgbouncer=` was dropped")
