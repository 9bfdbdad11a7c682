"""The learning rate over a training, as a share of its peak.

A schedule maps the fraction of training done after the warm-up, and the joint loss of every
finished epoch, to a share of the peak rate. It has no state of its own, so a training that resumes
needs none of it.
"""

import math
from collections.abc import Callable

Schedule = Callable[[float, list[float]], float]


def share(name: str, done: float, *, warmup: float, history: list[float]) -> float:
    """Return the share of the peak learning rate.

    Parameters
    ----------
    name : str
        A key of `SCHEDULES`.
    done : float
        Fraction of the whole training, at the middle of the step about to be taken.
    warmup : float
        Fraction of the training in which the share rises evenly from 0 to 1.
    history : list of float
        Joint loss of every finished epoch.
    """
    if done < warmup:
        return done / warmup
    return SCHEDULES[name]((done - warmup) / (1 - warmup), history)


def _cosine(fraction: float, _: list[float]) -> float:
    return (1 + math.cos(math.pi * fraction)) / 2


def _constant(_: float, __: list[float]) -> float:
    return 1.0


SCHEDULES: dict[str, Schedule] = {"cosine": _cosine, "constant": _constant}
