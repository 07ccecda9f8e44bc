"""The project's own seed function, called with a SQLAlchemy connection."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stillroom.edges.alembic.attempt import Attempt
from stillroom.edges.alembic.config import importing
from stillroom.edges.alembic.engine import make_engine
from stillroom.errors import DatabaseError, SettingsError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.layout import Layout

HINT = "name it in alembic.ini: under [stillroom], `seed = models.seed:seed`; it takes a SQLAlchemy connection"


def load_seed(layout: Layout) -> Callable[[Any], object]:
    """Import the function that alembic.ini names.

    Raises:
        SettingsError: None is named, or it is not there.
        RefusedError: Its module does not import.
    """
    module_name, _, function_name = layout.seed.partition(":")
    if not function_name:
        raise SettingsError("no seed function is named", hint=HINT)
    for folder in reversed(layout.python_folders):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    with importing():
        try:
            function: Callable[[Any], object] = getattr(importlib.import_module(module_name), function_name)
        except (ImportError, AttributeError) as error:
            raise SettingsError(f"the seed function {layout.seed} cannot be loaded: {error}", hint=HINT) from None
    return function


def run_seed(layout: Layout, connection: Connection, lock_timeout_ms: int) -> None:
    """Call the function that alembic.ini names, in one transaction.

    Raises:
        SettingsError: None is named, or it is not there.
        DatabaseError: It raised; nothing of it was kept.
    """
    function = load_seed(layout)
    with make_engine(connection, Attempt(lock_timeout_ms)).connect() as sa_connection:
        try:
            with sa_connection.begin():
                function(sa_connection)
        except Exception as error:
            first = (str(error).splitlines() or [""])[0]
            raise DatabaseError(
                f"{layout.seed} raised {type(error).__name__}: {first}; nothing of it was kept",
                hint="correct it, then `invoke reset-dev --seed` again",
            ) from None
