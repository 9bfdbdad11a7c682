"""The learning rate over a training, as a share of its peak.

A schedule maps the fraction of training done after the warm-up, and the joint loss of every
finished epoch, to a share of the peak rate. It has no state of its own, so a training that resumes
needs none of it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

IMPROVEMENT = 1e-4  # relative: a loss that falls less is no better


@dataclass(frozen=True, kw_only=True)
class Drops:
    """How the rate falls under the schedules that drop it.

    Attributes
    ----------
    factor : float
        Of one drop.
    epochs : int
        Between two drops; or, for a plateau, that are borne without a better loss.
    """

    factor: float
    epochs: int

    def __post_init__(self) -> None:
        if not 0 < self.factor <= 1:
            raise ValueError(f"drop is above 0 and at most 1, not {self.factor}")
        if self.epochs < 1:
            raise ValueError(f"drop_epochs is 1 or more, not {self.epochs}")


Schedule = Callable[[float, list[float], Drops], float]


def share(name: str, done: float, *, warmup: float, history: list[float], drops: Drops) -> float:
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
    drops : Drops
    """
    if done < warmup:
        return done / warmup
    return SCHEDULES[name]((done - warmup) / (1 - warmup), history, drops)


def _cosine(fraction: float, _: list[float], __: Drops) -> float:
    return (1 + math.cos(math.pi * fraction)) / 2


def _constant(_: float, __: list[float], ___: Drops) -> float:
    return 1.0


def _step(_: float, history: list[float], drops: Drops) -> float:
    return drops.factor ** (len(history) // drops.epochs)


def _plateau(_: float, history: list[float], drops: Drops) -> float:
    """Drop after more than `drops.epochs` epochs without a better loss, and count anew."""
    best, waited, dropped = math.inf, 0, 0
    for loss in history:
        if loss < best * (1 - IMPROVEMENT):
            best, waited = loss, 0
        else:
            waited += 1
        if waited > drops.epochs:
            waited, dropped = 0, dropped + 1
    return drops.factor**dropped


SCHEDULES: dict[str, Schedule] = {
    "cosine": _cosine,
    "constant": _constant,
    "step": _step,
    "plateau": _plateau,
}
