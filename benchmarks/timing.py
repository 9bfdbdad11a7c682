"""Processor time of jobs that do the same thing, and memory at its highest.

Jobs take turns, so that whatever else the machine does meets them alike; what is compared is
the ratio within a turn. Time is that of the process and its children, not of the clock.
"""

import gc
import importlib
import multiprocessing
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of several measurements."""

    median: float
    low: float
    high: float
    turns: int


def cpu_seconds() -> float:
    """Give the processor time so far, of this process and of children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def take_turns(jobs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, np.ndarray]:
    """Run all jobs one after another, `repeats` times; give the CPU seconds of each, (repeats,)."""
    seconds = {name: np.empty(repeats) for name in jobs}
    for turn in range(repeats):
        for name, job in jobs.items():
            gc.collect()
            start = cpu_seconds()
            job()
            seconds[name][turn] = cpu_seconds() - start
    return seconds


def compare(theirs: np.ndarray, ours: np.ndarray) -> Spread:
    """Say how many times as long the peer took, turn by turn."""
    return spread(theirs / ours)


def spread(values: np.ndarray) -> Spread:
    """Sum up several measurements."""
    return Spread(float(np.median(values)), float(values.min()), float(values.max()), len(values))


def peak_mb(job: Callable[..., object], *arguments: object) -> float:
    """Run a function of a module in a fresh process; give the most memory it held, in MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_mb, (job, *arguments))


def _peak_mb(job: Callable[..., object], *arguments: object) -> float:
    job(*arguments)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peer(name: str) -> ModuleType | None:
    """Import a peer's module; None where it is not installed or does not run here."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError, RuntimeError):
        return None
