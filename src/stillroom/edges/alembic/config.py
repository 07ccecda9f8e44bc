"""Alembic's own configuration of the project, without its URL and without its printing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from stillroom.errors import RefusedError, StillroomError

if TYPE_CHECKING:
    from stillroom.core.layout import Layout

KEY = "stillroom"


def make_config(layout: Layout, given: Any = None) -> Config:
    """Read alembic.ini as Alembic does; given reaches `stillroom.env.run` through the attributes."""
    quiet = argparse.Namespace(quiet=True, x=None)
    # Invoke switches byte code off for the process; a thousand revisions would be compiled anew in each run.
    config = Config(str(layout.root / "alembic.ini"), cmd_opts=quiet, stdout=open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    config.attributes[KEY] = given
    return config


def load_scripts(config: Config) -> ScriptDirectory:
    """Import the revisions.

    Raises:
        RefusedError: A revision does not import; its file and line are named.
    """
    with importing():
        scripts = ScriptDirectory.from_config(config)
        list(scripts.walk_revisions())
    return scripts


@contextmanager
def importing() -> Iterator[None]:
    """Turn what a revision, env.py or a model raises on import into a sentence.

    Raises:
        RefusedError: The file and line where it broke.
    """
    try:
        yield
    except CommandError as error:
        raise RefusedError(str(error).splitlines()[0], hint="correct the revision named, `invoke history` reads them all") from None
    except StillroomError:
        raise
    except Exception as error:
        raise _broken(error) from None


def _broken(error: Exception) -> RefusedError:
    place = ""
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{os.path.basename(error.filename)}, line {error.lineno}: "  # noqa: PTH119
    else:
        trace = error.__traceback__
        while trace is not None:
            place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}, line {trace.tb_lineno}: "  # noqa: PTH119
            trace = trace.tb_next
    return RefusedError(f"{place}{type(error).__name__}: {error}", hint="correct the file; nothing was run")
