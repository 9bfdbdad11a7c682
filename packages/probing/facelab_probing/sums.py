"""Scores computed from a few sums, so that thousands of draws need the images only once.

A bootstrap weighs identities by how often they are drawn; a permutation hands out labels
anew. Either way what a score takes from a set of images are sums, and the sums of many
draws are one matrix product. These functions turn such sums into the measures of
`scores`, for any number of draws at once; what is not defined is NaN.

Axes: D draws, T targets, K classes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PairSums:
    """Sums over images of a target y, its prediction p and their products.

    Attributes
    ----------
    n, y, yy, p, pp, yp : array, broadcast to (D, T)
        Number of images, Σy, Σy², Σp, Σp², Σyp; y and p about a common origin near the
        mean of y, else the sums cancel.
    """

    n: np.ndarray
    y: np.ndarray
    yy: np.ndarray
    p: np.ndarray
    pp: np.ndarray
    yp: np.ndarray


def r_squared(sums: PairSums) -> np.ndarray:
    """Return R² about the mean of the images summed, (D, T)."""
    return 1 - ratio(sums.yy - 2 * sums.yp + sums.pp, _spread(sums.n, sums.y, sums.yy))


def correlation(sums: PairSums) -> np.ndarray:
    """Return Pearson's r, (D, T)."""
    power = _spread(sums.n, sums.y, sums.yy) * _spread(sums.n, sums.p, sums.pp)
    return ratio(sums.yp - sums.y * sums.p / sums.n, np.sqrt(power))


CONTINUOUS: dict[str, Callable[[PairSums], np.ndarray]] = {"r2": r_squared, "r": correlation}


def adjusted_accuracy(hits: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return balanced accuracy above chance from hits and images per class, (D, K) → (D, 1)."""
    present = (counts > 0).sum(axis=1, keepdims=True)
    chance = np.where(present > 1, 1 / np.maximum(present, 1), np.nan)
    return (mean_over_classes(ratio(hits, counts)) - chance) / (1 - chance)


def mean_over_classes(values: np.ndarray, weights: np.ndarray | float = 1.0) -> np.ndarray:
    """Average the defined values of each row, (D, K) → (D, 1)."""
    weights = np.where(np.isnan(values), 0, weights)
    summed = (np.nan_to_num(values) * weights).sum(axis=1, keepdims=True)
    return ratio(summed, weights.sum(axis=1, keepdims=True))


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide, giving NaN where the divisor is not positive."""
    return above / np.where(below > 0, below, np.nan)


def sum_by(groups: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Sum the rows of `values`, (N, C), by group, (count, C)."""
    summed = np.zeros((count, values.shape[1]))
    np.add.at(summed, groups, values)
    return summed


def _spread(n: np.ndarray, y: np.ndarray, yy: np.ndarray) -> np.ndarray:
    """Sum the squares about the mean; 0 where rounding is all that varies."""
    squares = yy - y**2 / np.maximum(n, 1)
    return np.where(squares > 1e-12 * yy, squares, 0)
