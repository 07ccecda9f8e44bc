"""The plugin that Alembic runs after its own comparators, and before anything is turned round or rendered.

Source: Alembic documentation, "Plugins" (1.18): a comparator of "autogenerate" sees all operations; the way back is made of
them afterwards, so that whatever stands here has its own way back.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

from alembic.autogenerate import compare  # noqa: F401  (registers Alembic's own first)
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy.exc import SAWarning

from stillroom.edges.alembic.completing import impl, rendering
from stillroom.edges.alembic.completing.dialects import drop_tables_last, keep_identity, speak_plainly
from stillroom.edges.alembic.completing.enums.changes import settle_enums
from stillroom.edges.alembic.completing.findings import findings_of
from stillroom.edges.alembic.completing.operations import UnansweredOp
from stillroom.edges.alembic.completing.reading import read_at_once
from stillroom.edges.alembic.completing.shape.clashes import refuse_clashes
from stillroom.edges.alembic.completing.shape.cycles import WARNING, break_cycles
from stillroom.edges.alembic.completing.shape.domains import bring_domains
from stillroom.edges.alembic.completing.shape.extensions import bring_extensions
from stillroom.edges.alembic.completing.shape.naming import name_everything
from stillroom.edges.alembic.completing.shape.online import go_online
from stillroom.edges.alembic.completing.shape.primary_keys import remember_keys, settle_primary_keys
from stillroom.edges.alembic.completing.shape.references import order_references
from stillroom.edges.alembic.completing.shape.renames import settle_renames
from stillroom.edges.alembic.completing.shape.schemas import bring_schemas
from stillroom.edges.alembic.completing.shape.uniques import keep_uniques_whole
from stillroom.edges.alembic.completing.values.blockers import name_blockers
from stillroom.edges.alembic.completing.values.defaults import compare_default
from stillroom.edges.alembic.completing.values.duplicates import look_for_duplicates
from stillroom.edges.alembic.completing.values.filling import settle_filling
from stillroom.edges.alembic.completing.values.identities import settle_identities
from stillroom.edges.alembic.completing.values.retyping import settle_types
from stillroom.edges.alembic.completing.values.serials import settle_serials
from stillroom.edges.alembic.completing.values.setting_aside import set_aside

NAME = "stillroom.completing"
STEPS = (
    drop_tables_last,
    settle_renames,
    settle_primary_keys,
    settle_serials,
    settle_enums,
    settle_identities,
    settle_types,
    name_blockers,
    set_aside,
    settle_filling,
    bring_domains,
    bring_extensions,
    bring_schemas,
    keep_identity,
    keep_uniques_whole,
    speak_plainly,
    break_cycles,
    order_references,
    look_for_duplicates,
    name_everything,
    go_online,
)
assert rendering, "its renderers are registered"
assert impl, "it takes the place of Alembic's own"


@cache
def register() -> str:
    """Make the plugin known to Alembic, once a process.

    Returns:
        Its name, for `autogenerate_plugins`.
    """
    warnings.filterwarnings("ignore", "Did not recognize type", SAWarning)  # we do, by its name
    warnings.filterwarnings("ignore", WARNING, SAWarning)  # we do, with the foreign keys apart
    plugin = Plugin(NAME)
    plugin.add_autogenerate_comparator(
        complete, "autogenerate", "stillroom", qualifier="postgresql", priority=DispatchPriority.LAST
    )
    plugin.add_autogenerate_comparator(
        refuse_clashes, "schema", "stillroom", qualifier="postgresql", priority=DispatchPriority.FIRST
    )
    plugin.add_autogenerate_comparator(
        read_at_once, "schema", "stillroom", qualifier="postgresql", priority=DispatchPriority.FIRST
    )
    plugin.add_autogenerate_comparator(
        compare_default, "column", "server_default", qualifier="postgresql", priority=DispatchPriority.FIRST
    )
    plugin.add_autogenerate_comparator(remember_keys, "table", "stillroom_primary_key", qualifier="postgresql")
    return NAME


def complete(context: Any, upgrade: Any) -> PriorityDispatchResult:
    """Put right what Alembic found; what only a person knows is asked."""
    for settle in STEPS:
        settle(context, upgrade)
    questions = findings_of(context).questions
    if questions:
        upgrade.ops.insert(0, UnansweredOp(tuple(questions)))
    return PriorityDispatchResult.CONTINUE
