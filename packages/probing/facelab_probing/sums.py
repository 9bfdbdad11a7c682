"""Sums over the images of identities and of classes, and what becomes of them."""

import numpy as np
from scipy import sparse


def gather(members: np.ndarray, groups: int) -> sparse.csr_array:
    """Return the matrix that sums images per group, (G, n)."""
    images = np.arange(len(members))
    return sparse.csr_array((np.ones(len(members)), (members, images)), (groups, len(members)))


def average(values: np.ndarray) -> np.ndarray:
    """Average each row over what is defined."""
    seen = np.isfinite(values)
    return np.where(seen, values, 0).sum(axis=1) / positive(seen.sum(axis=1))


def above_chance(hits: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Average recall over the classes that are there, so that chance is 0.

    Parameters
    ----------
    hits, sizes : array, (rows, K)
        Images of each class that are given to it, and all of them.
    """
    chance = 1 / np.maximum((sizes > 0).sum(axis=1), 1)
    return (average(hits / positive(sizes)) - chance) / positive(1 - chance)


def positive(values: np.ndarray) -> np.ndarray:
    """Keep what can be divided by; NaN elsewhere."""
    return np.where(values > 0, values, np.nan)
