"""Folds for small sets of faces: whole identities are dealt, never single images."""

import numpy as np


def grouped_folds(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Deal identities to folds; return the fold of each image, (N,).

    Every image is held out once, together with all others of its identity; folds differ by
    at most one identity.

    Raises
    ------
    ValueError
        If there are fewer than two folds, or fewer identities than folds.
    """
    names, codes = np.unique(groups, return_inverse=True)
    if not 2 <= folds <= len(names):
        raise ValueError(f"folds {folds} must be between 2 and the {len(names)} identities")
    dealt = np.empty(len(names), dtype=int)
    dealt[np.random.default_rng(seed).permutation(len(names))] = np.arange(len(names)) % folds
    return dealt[codes]
