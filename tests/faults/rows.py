"""A database whose rows tell how often a data migration ran: the balance of each grows by ten each time."""

from __future__ import annotations

from tests.commands.support import query, write_revision
from tests.servers import Project

BEHIND = "aaaa00000001"
ROWS = 400
IN_BATCHES = """
with op.get_context().autocommit_block():
    bind = op.get_bind()
    for start in range(0, 400, 50):
        bind.execute(sa.text(f"update account set balance = balance + 10 where id > {start} and id <= {start + 50}"))
    op.execute("create index concurrently ix_balance on account (balance)")
"""


def make_accounts(project: Project) -> None:
    """Put the table there, behind the history's back."""
    query(project, "create table account (id int primary key, balance int not null)")
    query(project, f"insert into account select n, 0 from generate_series(1, {ROWS}) as n")


def be_one_behind(project: Project) -> None:
    """Add the data migration that must run once, in batches that commit one by one."""
    write_revision(project, BEHIND, IN_BATCHES)


def balances(project: Project) -> list[tuple[int, int]]:
    """Every balance, and how many rows have it."""
    return [(balance, count) for balance, count in query(project, "select balance, count(*) from account group by 1")]


def invalid_indexes(project: Project) -> int:
    """Count the indexes that a concurrent build left behind."""
    return int(query(project, "select count(*) from pg_index where not indisvalid")[0][0])


def advisory_locks(project: Project) -> int:
    """Count the migration locks that are held in the project's database."""
    held = "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())"
    return int(query(project, held)[0][0])
