"""The night drill of docs/drill.md with fewer rows: only what the tool prints is typed."""

from __future__ import annotations

import re
import shlex

from tests.commands.support import HEAD, current, query, set_mark, write_revision
from tests.servers import Project

BAD = "5b1e7c90aa42"
FILL = """
insert into users (email, display_name) select 'user' || n || '@example.com', 'User ' || n from generate_series(1, 20) n;
insert into conversations (user_id, title) select id, 'chat of ' || email from users;
insert into messages (conversation_id, role, content) select c.id, (array['user', 'assistant'])[1 + n % 2]::message_role, md5(c.id::text || n)
  from conversations c, generate_series(1, 1000) n
"""
ROWS = "select role::text, count(*), sum(hashtext(content)) from messages group by 1 order by 1"


def typed(text: str) -> list[str]:
    """The first command that a text prints, as its words."""
    found = re.search(r"`invoke ([^`]+)`", text)
    assert found, text
    return shlex.split(found[1])


def test_the_way_back_is_found_by_what_is_printed(migrated: Project) -> None:
    query(migrated, FILL)
    set_mark(migrated, "production")
    migrated.environment["APP_ENV"] = "production"
    before = query(migrated, ROWS)
    write_revision(
        migrated, BAD, "op.execute(\"delete from messages where content is not null and role = 'assistant'\")"
    )

    ran = migrated.invoke("backup-then-migrate")
    damaged = query(migrated, ROWS)
    query(
        migrated,
        "insert into messages (conversation_id, role, content) select id, 'user', 'where?' from conversations limit 7",
    )
    way = typed(next(line for line in ran.stdout.splitlines() if line.startswith("the way back: ")))
    plan = migrated.invoke(*way, "--plan")
    back = migrated.invoke(*way)

    assert ran.code == 0, ran.stderr
    assert f"note:  {BAD} deletes 10,000 rows of public.messages" in ran.stderr
    assert [role for role, _, _ in damaged] == ["user"]
    assert "public.messages 7 rows new or changed, 10,000 rows of the backup changed or deleted" in plan.stdout
    assert back.code == 0, back.stderr
    assert query(migrated, ROWS) == before
    assert current(migrated) == [HEAD]
    assert f"it was at {BAD}, which is pending again" in back.stdout
    kept = re.search(r"the old database is kept as (\S+);", back.stdout)
    assert kept
    assert query(migrated, "select count(*) from pg_database where datname = %s", kept[1]) == [(1,)]
