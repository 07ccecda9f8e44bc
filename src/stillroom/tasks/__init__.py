"""The menu: `ns` holds every task; any project can take it with `from stillroom.tasks import ns`."""

from __future__ import annotations

from invoke.collection import Collection

from stillroom.tasks import schema
from stillroom.tasks.hints import answer_misspelt

answer_misspelt()

ns = Collection()
for task in schema.TASKS:
    ns.add_task(task)
