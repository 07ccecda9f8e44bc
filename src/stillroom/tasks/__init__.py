"""The menu: `ns` holds every task; any project can take it with `from stillroom.tasks import ns`."""

from __future__ import annotations

from invoke.collection import Collection

from stillroom.tasks import backups, heads, keeping, ledger, schema, server
from stillroom.tasks.hints import answer_misspelt

answer_misspelt()

ns = Collection()
for _task in schema.TASKS + backups.TASKS:
    ns.add_task(_task)
_server = Collection("server")
for _task in server.TASKS:
    _server.add_task(_task)
ns.add_collection(_server)
_ledger = Collection("ledger")
for _task in ledger.TASKS:
    _ledger.add_task(_task, default=_task.is_family)
ns.add_collection(_ledger)
_backups = Collection(keeping.FAMILY)
for _task in keeping.TASKS:
    _backups.add_task(_task, default=_task.is_family)
ns.add_collection(_backups)
_heads = Collection(heads.FAMILY)
for _task in heads.TASKS:
    _heads.add_task(_task, default=_task.is_family)
ns.add_collection(_heads)
