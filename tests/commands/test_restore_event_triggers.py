"""Backups of databases whose event triggers write rows: restoring one must not fire them."""

from __future__ import annotations

from tests.commands.backing import make_backup, names
from tests.commands.support import add_user, database_of, query
from tests.servers import Project

# A materialized view is filled when the event triggers are there: that is what fires them.
LOGS = """
create table log (at timestamptz default clock_timestamp(), tag text, what text);
create function note_ddl() returns event_trigger language plpgsql as
  $$ begin insert into public.log (tag, what) values (tg_tag, current_query()); end $$;
create materialized view seen as select count(*) as users from users;
create event trigger ddl_noted on ddl_command_end execute function note_ddl();
"""
LOGINS = """
create function note_login() returns event_trigger language plpgsql as
  $$ begin insert into public.log (tag, what) values (tg_event, current_setting('application_name')); end $$;
create event trigger login_noted on login execute function note_login();
"""
WITH_LOGINS = 17  # and with a setting that switches event triggers off


def test_event_triggers_that_log_do_not_fire_in_a_copy(migrated: Project) -> None:
    """F81: neither in the proof, nor in the restore, nor for who comes to compare; afterwards they do."""
    has_logins = database_of(migrated).server.major >= WITH_LOGINS
    add_user(migrated)
    query(migrated, LOGS + (LOGINS if has_logins else ""))

    name = make_backup(migrated, "--verify", "restore")
    done = migrated.invoke("restore", name, "--yes")

    assert done.code == 0, done.stderr
    query(migrated, "comment on table log is 'changed'")
    assert query(migrated, "select count(*) from log where tag = 'COMMENT'") == [(1,)]


def test_an_event_trigger_that_cannot_be_switched_off_is_named(migrated: Project) -> None:
    """F81: before PostgreSQL 17 nothing stops one that fires always."""
    query(migrated, LOGS + "alter event trigger ddl_noted enable always")

    done = migrated.invoke("backup", "--verify", "restore")

    if database_of(migrated).server.major >= WITH_LOGINS:
        assert done.code == 0, done.stderr
        return
    assert done.code == 5
    assert "public.log has 1 rows, the backup 0; the event trigger ddl_noted fires while it is restored" in done.stderr
    assert names(migrated) == []
