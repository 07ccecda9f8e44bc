"""A live schema compared with a built one; the scratch server answers what only a server knows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stillroom.core.drift import DIFFERS, Drift
from stillroom.edges.scripts import find_unmentioned

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._database import Project
    from stillroom.core.schema_objects import Schema
    from stillroom.edges.postgres.catalog import Surface

VIEWS = ("view", "materialized view")


def compare(connection: Connection, live: Surface, built: Schema, major: int, spaces: frozenset[str]) -> Drift:
    """Compare, views as the scratch database's server words them.

    Args:
        connection: To the scratch database.
        live: The database that is asked about.
        built: What the revisions made.
        major: The major version of the scratch database's server.
        spaces: The schemas to compare in.

    Raises:
        DatabaseError: The server refused.
    """
    from stillroom.edges.postgres.asking import rewrite_views

    drift = Drift(live.schema.within(spaces), without_bare_public(built))
    if drift.changes and live.major != major:
        worded = [key for key, each in drift.changes.items() if key[0] in VIEWS and each.difference == DIFFERS]
        drift = Drift(rewrite_views(connection, drift.live, worded), drift.history)
    return drift


def own_spaces(project: Project, live: Schema, built: Schema) -> frozenset[str]:
    """Name the schemas that the project may have made things in: those of what was built, and those that a file names.

    An earlier revision has not made every schema yet; one that no file names is somebody else's.

    Raises:
        RefusedError: A revision file cannot be read.
    """
    others = live.spaces - built.spaces
    paths = [each.path for each in project.history.revisions.values()] if others else []
    return built.spaces | (others - find_unmentioned(project.layout, paths, others))


def without_bare_public(schema: Schema) -> Schema:
    """Forget a `public` that came with the scratch database and that no revision made anything in."""
    inside = any(each.schema == "public" for key, each in schema.objects.items() if key != ("schema", "public"))
    kept = {key: each for key, each in schema.objects.items() if inside or key != ("schema", "public")}
    return replace(schema, objects=kept)
