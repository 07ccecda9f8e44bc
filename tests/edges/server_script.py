"""Drive an embedded server from a process of its own; each action prints one JSON line.

    python server_script.py HOME [--user NAME | --uid NUMBER] [--option ...] ACTION ...

It starts as whoever calls it and steps down to the other user after everything was imported, so that neither the
interpreter nor the checkout has to be readable to that user.
"""

from __future__ import annotations

import argparse
import ctypes  # noqa: F401 - loaded before the step down
import dataclasses
import fcntl  # noqa: F401
import json
import os
import pwd
import sys
import time
from pathlib import Path

from stillroom.core.urls import DatabaseUrl  # noqa: F401
from stillroom.edges.embedded import Binaries, EmbeddedServer, find_binaries
from stillroom.edges.embedded.account import server_account
from stillroom.edges.embedded.programs import prepare_programs
from stillroom.errors import StillroomError


def main() -> None:
    """Read the command line, step down, act."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--user", default="")
    parser.add_argument("--uid", type=int, default=None)
    parser.add_argument("--bin", type=Path, default=None)
    parser.add_argument("--dies-with-parent", action="store_true")
    parser.add_argument("--timeout-s", type=float, default=60)
    parser.add_argument("actions", nargs="+")
    options = parser.parse_args()
    try:
        _act(options, _step_down(options))
    except StillroomError as error:
        _say({"error": error.kind, "message": error.message, "hint": error.hint})
        sys.exit(error.exit_code)


def _step_down(options: argparse.Namespace) -> Binaries:
    """Become the other user, with programs that user can reach."""
    binaries = find_binaries(options.bin)
    if not options.user and options.uid is None:
        return binaries
    programs = prepare_programs(binaries, server_account(), os.environ)
    uid = options.uid if options.uid is not None else pwd.getpwnam(options.user).pw_uid
    os.setgroups([])
    os.setgid(65534)
    os.setuid(uid)
    return Binaries(programs.folder, "STILLROOM_PG_BIN")


def _act(options: argparse.Namespace, binaries: Binaries) -> None:
    server = EmbeddedServer(
        options.home,
        binaries=binaries,
        environment=dict(os.environ),
        is_durable=False,
        dies_with_parent=options.dies_with_parent,
    )
    for action in options.actions:
        if action == "start":
            _say({"how": server.start(timeout_s=options.timeout_s)})
        elif action == "stop":
            _say({"stopped": server.stop(mode="fast")})
        elif action == "state":
            _say(dataclasses.asdict(server.state()))
        elif action == "hang":
            time.sleep(600)


def _say(words: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(words, default=str) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
