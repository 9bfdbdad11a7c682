"""A map worked out coarsely first, and finely only where something is found.

Some rows and columns of places are tried, and of what lies around the large values every place.
Between the places tried the map is interpolated. How wrong that is, is measured: halfway between
places tried, where interpolation knows least, exact values are worked out and compared.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Exact = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Gives the exact values, (r, c), in some rows and columns of a map."""


@dataclass(frozen=True, kw_only=True)
class Coarse:
    """How coarsely to begin, and where to look closer.

    Attributes
    ----------
    every : int
        Rows and columns from one place tried to the next; 2 or more.
    fraction : float
        Every place is tried around values of at least this part of the largest; in (0, 1].
    """

    every: int
    fraction: float

    def __post_init__(self) -> None:
        if self.every < 2 or not 0 < self.fraction <= 1:
            raise ValueError(
                f"a coarse map has every 2nd place or fewer, and a fraction in (0, 1]; these are "
                f"{self.every} and {self.fraction}"
            )


def refine(exact: Exact, shape: tuple[int, int], coarse: Coarse) -> tuple[np.ndarray, float]:
    """Work out a map coarsely, then finely in the smallest rectangle around all that is large.

    Returns
    -------
    values : array, shape
        Exact in the rectangle and in all places tried; everywhere where these hold nothing.
    error : float
        The largest deviation found halfway, as a part of the largest absolute value; 0 if
        nothing lies outside the rectangle.
    """
    tried = tuple(_tried(side, coarse.every) for side in shape)
    few = exact(*tried)
    peak = np.abs(few).max()
    if not peak:  # all that there is may lie between
        return exact(*map(np.arange, shape)), 0.0
    values = _interpolated(few, tried, shape)
    box = _around(np.abs(few) >= coarse.fraction * peak, tried)
    error = _checked(exact, values, tried, box)
    values[np.ix_(*box)] = exact(*box)
    return values, error


def _tried(side: int, every: int) -> np.ndarray:
    return np.unique(np.append(np.arange(0, side, every), side - 1))


def _interpolated(
    few: np.ndarray, tried: tuple[np.ndarray, np.ndarray], shape: tuple[int, int]
) -> np.ndarray:
    down, along = (
        np.array([np.interp(np.arange(side), places, one) for one in np.eye(len(places))])
        for places, side in zip(tried, shape, strict=True)
    )
    return (down.T @ few @ along).astype(few.dtype)


def _around(
    large: np.ndarray, tried: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Give the rows and columns from one place tried before what is large to one after."""
    box = []
    for axis, places in enumerate(tried):
        found = np.flatnonzero(large.any(1 - axis))
        first, last = max(found[0] - 1, 0), min(found[-1] + 1, len(places) - 1)
        box.append(np.arange(places[first], places[last] + 1))
    return tuple(box)


def _checked(
    exact: Exact,
    values: np.ndarray,
    tried: tuple[np.ndarray, np.ndarray],
    box: tuple[np.ndarray, np.ndarray],
) -> float:
    """Replace the values halfway between places tried; say how far off they were."""
    halfway = tuple(np.unique((places[1:] + places[:-1]) // 2) for places in tried)
    if not all(map(len, halfway)):
        return 0.0
    true, told = exact(*halfway), values[np.ix_(*halfway)]
    apart = np.abs(true - told)
    inside = np.isin(halfway[0], box[0])[:, None] & np.isin(halfway[1], box[1])
    apart[inside] = 0
    values[np.ix_(*halfway)] = true
    peak = max(np.abs(values).max(), np.abs(true).max())
    return float(apart.max() / peak) if peak else 0.0
