"""Interleaved rounds of whole processes, and the ratio of their medians."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Contestant:
    """One command line, run as a process in its folder."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


def run_once(contestant: Contestant) -> tuple[float, float]:
    """Run it and return CPU and wall seconds; a failure ends the benchmark."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        contestant.command,
        cwd=contestant.folder,
        env=dict(contestant.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{contestant.name} failed with {done.returncode}:\n{done.stderr}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def race(title: str, peer: Contestant, ours: Sequence[Contestant], *, rounds: int = 15) -> None:
    """Run peer and ours in turns and print the medians and their ratios."""
    everyone = [peer, *ours]
    seen: dict[str, list[tuple[float, float]]] = {each.name: [] for each in everyone}
    for each in everyone:
        run_once(each)
    for _ in range(rounds):
        for each in everyone:
            seen[each.name].append(run_once(each))
    print(f"\n{title} ({rounds} rounds, medians)")
    peer_cpu, peer_wall = (statistics.median(column) for column in zip(*seen[peer.name], strict=True))
    for each in everyone:
        cpu, wall = (statistics.median(column) for column in zip(*seen[each.name], strict=True))
        print(
            f"  {each.name:34} cpu {cpu:.3f} s  wall {wall:.3f} s  cpu ratio {cpu / peer_cpu:.2f}  wall ratio {wall / peer_wall:.2f}"
        )
