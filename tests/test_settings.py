"""Names, numbers, words; what is handed on; what the pages say."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stillroom.errors import SettingsError
from stillroom.settings import SETTINGS
from tests.settings_project import URL, Project

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path / "project", monkeypatch)


def refused(project: Project) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        project.load()
    return caught.value


def test_without_anything_set_the_defaults_hold(project: Project) -> None:
    settings = project.load()

    assert (settings.environment, settings.environment_given) == ("", "")
    assert (settings.wait_s, settings.lock_timeout_ms, settings.statement_timeout_ms) == (300, 500, 3_600_000)
    assert (settings.lock_tries, settings.backup_keep, settings.backup_dir) == (30, 10, project.root / "backups")
    assert (settings.backup_keep_days, settings.backup_copy_command, settings.backup_command) == (7, (), ())
    assert (settings.ledger, settings.pooler, settings.allow_ahead) == ("schema", "", False)
    assert (settings.search_path, settings.schemas, settings.pg_bin) == (None, ("public",), None)
    assert (settings.editor, settings.is_ci, settings.no_color) == (None, False, False)
    assert settings.notes == ()
    assert {entry.source for entry in settings.entries} == {"default"}


@pytest.mark.parametrize(
    ("given", "environment"),
    [
        ("development", "development"),
        ("dev", "development"),
        ("local", "development"),
        ("Test", "test"),
        ("ci", "test"),
        ("staging", "staging"),
        ("stage", "staging"),
        ("PROD", "production"),
        ("production", "production"),
    ],
)
def test_environments_have_aliases(project: Project, given: str, environment: str) -> None:
    settings = project.environ(DATABASE_URL=URL, ENVIRONMENT=given).load()

    assert (settings.environment, settings.environment_given) == (environment, given)
    assert settings.notes == ()


def test_another_name_protects_and_is_said(project: Project) -> None:
    settings = project.environ(DATABASE_URL=URL, APP_ENV="preview-7").load()

    assert (settings.environment, settings.environment_given) == ("unknown", "preview-7")
    assert "the database is protected" in settings.notes[0]


def test_app_env_wins_over_environment_and_it_is_said(project: Project) -> None:
    settings = project.environ(DATABASE_URL=URL, APP_ENV="prod", ENVIRONMENT="development").load()

    assert settings.environment == "production"
    assert settings.notes == ("ENVIRONMENT says something else than APP_ENV, which wins",)
    assert project.environ(ENVIRONMENT="production").load().notes == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("STILLROOM_WAIT_S", "-1"),
        ("STILLROOM_WAIT_S", "5m"),
        ("STILLROOM_WAIT_S", "300s"),
        ("STILLROOM_WAIT_S", "90000"),
        ("STILLROOM_WAIT_S", "nan"),
        ("STILLROOM_WAIT_S", "inf"),
        ("STILLROOM_LOCK_TIMEOUT_MS", "500ms"),
        ("STILLROOM_LOCK_TIMEOUT_MS", "0"),
        ("STILLROOM_LOCK_TIMEOUT_MS", "0.5"),
        ("STILLROOM_STATEMENT_TIMEOUT_MS", "-1"),
        ("STILLROOM_STATEMENT_TIMEOUT_MS", "1h"),
        ("STILLROOM_LOCK_TRIES", "0"),
        ("STILLROOM_BACKUP_KEEP", "0"),
        ("STILLROOM_BACKUP_KEEP", "٣"),
        ("STILLROOM_BACKUP_KEEP_DAYS", "-1"),
        ("STILLROOM_BACKUP_KEEP_DAYS", "7d"),
        ("STILLROOM_BACKUP_COPY_COMMAND", '"\'open"'),
        ("STILLROOM_BACKUP_COPY_COMMAND", "\"''\""),
        ("STILLROOM_BACKUP_COMMAND", "make-snapshot"),
        ("STILLROOM_BACKUP_VERIFY_COMMAND", '"\'open"'),
        ("STILLROOM_LEDGER", "on"),
        ("STILLROOM_POOLER", "transaction"),
        ("STILLROOM_ALLOW_AHEAD", "perhaps"),
        ("STILLROOM_SCHEMAS", "public,"),
        ("STILLROOM_SCHEMAS", "public,pg_catalog"),
        ("STILLROOM_SCHEMAS", "information_schema"),
        ("STILLROOM_PG_BIN", "/nowhere"),
        ("STILLROOM_SEARCH_PATH", "public; drop"),
        ("STILLROOM_SEARCH_PATH", "public,"),
        ("STILLROOM_SEARCH_PATH", "public app"),
        ("STILLROOM_SEARCH_PATH", "public,,app"),
        ("STILLROOM_SEARCH_PATH", "public;"),
        ("STILLROOM_SEARCH_PATH", "app, 'App'"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_name(project: Project, name: str, text: str) -> None:
    """F25."""
    error = refused(project.dotenv(f"{name}={text}\n"))

    assert error.exit_code == 2
    assert error.message.startswith(f"{name} in .env line 1: ")
    assert "`" in error.hint


def test_the_backup_commands_get_the_ways_into_stores_and_nothing_of_the_database(project: Project) -> None:
    project.environ(
        AWS_PROFILE="p",
        RCLONE_CONFIG="c",
        https_proxy="x",
        DATABASE_URL="postgresql://a:b@localhost/c",
        PGPASSWORD="y",
        OWN_SECRET="z",
    )
    project.environ(STILLROOM_BACKUP_COPY_COMMAND="rclone copy '{path}' \"far:a b\"")

    settings = project.load()

    assert settings.backup_copy_command == ("rclone", "copy", "{path}", "far:a b")
    assert {"AWS_PROFILE", "RCLONE_CONFIG", "https_proxy"} <= settings.command_environment.keys()
    assert not {"DATABASE_URL", "PGPASSWORD", "OWN_SECRET"} & settings.command_environment.keys()
    assert "AWS_PROFILE" not in settings.child_environment
    assert "rclone" not in repr(settings).split("entries=")[0]


def test_numbers_and_words_are_read(project: Project) -> None:
    project.environ(STILLROOM_WAIT_S="2.5", STILLROOM_LOCK_TIMEOUT_MS="250", STILLROOM_ALLOW_AHEAD="1")
    project.environ(STILLROOM_SCHEMAS="public, app,public", STILLROOM_LEDGER="off", STILLROOM_POOLER="session")
    project.environ(STILLROOM_SEARCH_PATH="app, public", STILLROOM_PG_BIN="/usr/bin", STILLROOM_BACKUP_DIR="~/b")

    settings = project.load()

    assert (settings.wait_s, settings.lock_timeout_ms, settings.allow_ahead) == (2.5, 250, True)
    assert (settings.schemas, settings.ledger, settings.pooler) == (("public", "app"), "off", "session")
    assert (settings.search_path, settings.pg_bin) == ("app, public", Path("/usr/bin"))
    assert settings.backup_dir == project.root / "home" / "b"


@pytest.mark.parametrize(
    "text", ["app", "app, public", '"$user",public', "$user, public", '"a ""b"", c" , d$1', "схема", "a-b,1a"]
)
def test_a_search_path_is_kept_as_it_is_written(project: Project, text: str) -> None:
    assert project.environ(STILLROOM_SEARCH_PATH=text).load().search_path == text


def test_a_blank_setting_is_its_default(project: Project) -> None:
    assert project.environ(STILLROOM_WAIT_S="", STILLROOM_POOLER=" ").load().wait_s == 300


def test_timeouts_that_contradict_are_refused(project: Project) -> None:
    """F25."""
    error = refused(project.environ(STILLROOM_LOCK_TIMEOUT_MS="2000", STILLROOM_STATEMENT_TIMEOUT_MS="2000"))

    assert "STILLROOM_LOCK_TIMEOUT_MS (2000) is not below STILLROOM_STATEMENT_TIMEOUT_MS (2000)" in error.message


@pytest.mark.parametrize(
    ("text", "is_ci"), [("true", True), ("1", True), ("woodpecker", True), ("false", False), ("", False)]
)
def test_ci_is_what_ci_systems_write(project: Project, text: str, is_ci: bool) -> None:
    assert project.environ(CI=text).load().is_ci is is_ci


def test_visual_comes_before_editor(project: Project) -> None:
    assert project.environ(EDITOR="nano").load().editor == "nano"
    assert project.environ(VISUAL="code --wait").load().editor == "code --wait"


def test_outside_programs_get_no_secret_and_no_pg_variable(project: Project) -> None:
    """S02."""
    project.environ(
        DATABASE_URL="postgresql://a:b@localhost/c",
        PGPASSWORD="geheim",
        POSTGRES_PASSWORD="geheim",
        AWS_SECRET_ACCESS_KEY="geheim",
    )
    project.environ(
        LC_ALL="C.UTF-8", SSH_AUTH_SOCK="/s", XDG_CONFIG_HOME="/x", PGOPTIONS="-c x=y", STILLROOM_WAIT_S="3"
    )

    child = project.load().child_environment

    assert sorted(child) == ["HOME", "LC_ALL", "PATH", "SSH_AUTH_SOCK", "XDG_CONFIG_HOME"]


def test_settings_show_no_secret_and_reach_another_process(project: Project) -> None:
    """S03."""
    settings = project.environ(DATABASE_URL=URL, MIGRATION_DATABASE_URL=URL).load()

    assert "geheim" not in repr(settings)
    assert "geheim" not in "".join(entry.value for entry in settings.entries)
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_loading_imports_nothing_heavy(project: Project) -> None:
    code = (
        "import sys; from stillroom.settings import load; load(); "
        "heavy = ('dotenv', 'configparser', 'psycopg2', 'sqlalchemy', 'alembic', 'sqlmodel', 'invoke'); "
        "print([name for name in heavy if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.root,
        env={"PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"


def test_copying_the_example_changes_nothing(project: Project) -> None:
    before = project.load()

    project.dotenv((REPOSITORY / ".env.example").read_text())

    assert project.load() == before


def test_the_example_holds_every_setting_with_its_default() -> None:
    lines = (REPOSITORY / ".env.example").read_text().splitlines()
    written = dict(re.findall(r"^# ([A-Z][A-Z_]+)=(.*)$", "\n".join(lines), re.MULTILINE))

    assert list(written) == [spec.name for spec in SETTINGS]
    for spec in SETTINGS:
        if re.fullmatch(r"\d+|backups|schema|no|public", spec.default):
            assert written[spec.name] == spec.default
    assert all(line.startswith("#") or not line for line in lines)
    assert written["DATABASE_URL"] == "postgresql://postgres:postgres@localhost:5432/todo_chatbot"


def test_every_line_of_the_example_can_be_used(project: Project) -> None:
    text = (REPOSITORY / ".env.example").read_text()
    lines = re.findall(r"^# ([A-Z][A-Z_]+=.*)$", text, re.MULTILINE)
    usable = [line for line in lines if not line.startswith(("DATABASE_URL_FILE", "STILLROOM_PG_BIN"))]

    settings = project.dotenv("\n".join(usable)).load()

    assert settings.database is not None
    assert settings.database.shown == "todo_chatbot on localhost:5432 as postgres"
    assert settings.editor == "code --wait"


def test_the_page_lists_every_setting_with_its_default_and_meaning() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text()

    for spec in SETTINGS:
        default = f"`{spec.default}`" if re.fullmatch(r"\d+|backups|schema|no|public", spec.default) else spec.default
        assert f"| `{spec.name}` | {default or '-'} | {spec.meaning} |" in page
