"""Alembic's own configuration of the project, without its URL and without its printing."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from stillroom.edges.alembic.import_traps import find_hint
from stillroom.edges.postgres.errors import as_database_error
from stillroom.errors import RefusedError, StillroomError

if TYPE_CHECKING:
    from stillroom.core.layout import Layout

KEY = "stillroom"
# Files that nobody of the project wrote: installed packages, the standard library, this package.
NOT_THEIRS = ("<", sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), str(Path(__file__).parents[2]))


def make_config(layout: Layout, given: Any = None) -> Config:
    """Read alembic.ini as Alembic does; given reaches `stillroom.env.run` through the attributes."""
    quiet = argparse.Namespace(quiet=True, x=None)
    config = Config(str(layout.root / "alembic.ini"), cmd_opts=quiet, stdout=open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    # Alembic puts the folder in as it is, and then trips over a percent sign in its name.
    config.file_config.set("DEFAULT", "here", layout.root.as_posix().replace("%", "%%"))
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
    """Turn what a revision, env.py or a model raises on import into a sentence, and what they print into progress.

    Raises:
        RefusedError: The file and line where it broke.
        DatabaseError: The server refused what was read on the way.
    """
    gc.disable()  # what is imported stays, and looking through it again and again is half of a comparison's time
    try:
        with redirect_stdout(sys.stderr):
            yield
    except StillroomError:
        raise
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg2.Error):
            raise
        raise as_database_error(error.orig, "reading the schema") from None
    except (Exception, SystemExit) as error:
        raise refused_import(error) from None
    finally:
        gc.freeze()
        gc.enable()


def refused_import(error: BaseException) -> RefusedError:
    """Name the file and line where an import broke."""
    if isinstance(error, CommandError):
        return RefusedError(
            str(error).splitlines()[0], hint="correct the revision named, `invoke history` reads them all"
        )
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{_shown(Path(error.filename))}, line {error.lineno}, column {error.offset or 1}: "
        said = error.msg
    else:
        said = (str(error).splitlines() or [""])[0]
        frames = traceback.extract_tb(error.__traceback__)
        theirs = [each for each in frames if not each.filename.startswith(NOT_THEIRS)]
        place = f"{_shown(Path(theirs[-1].filename))}, line {theirs[-1].lineno}: " if theirs else ""
    return RefusedError(f"{place}{type(error).__name__}: {said}", hint=find_hint(error))


def _shown(path: Path) -> str:
    """Name a file as seen from the project's root: there are many `__init__.py`."""
    root = next((each for each in path.parents if (each / "alembic.ini").is_file()), None)
    return str(path.relative_to(root)) if root else str(path)
