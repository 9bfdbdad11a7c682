"""Folds for small sets: dealt by identity, or over the images within each identity."""

import numpy as np


def grouped_folds(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Deal whole identities to folds; return the fold of each image, (N,).

    Every image is held out once, together with all others of its identity.
    """
    names, codes = np.unique(groups, return_inverse=True)
    _check(folds, len(names), "identities")
    dealt = np.empty(len(names), dtype=int)
    dealt[np.random.default_rng(seed).permutation(len(names))] = np.arange(len(names)) % folds
    return dealt[codes]


def stratified_folds(codes: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Deal the images of each class to folds evenly; return the fold of each image, (N,).

    Meant for decoding identity itself, which cannot be read from identities never met.
    """
    rng = np.random.default_rng(seed)
    counts = np.bincount(codes)
    _check(folds, int(counts[counts > 0].min()), "images in the smallest class")
    dealt = np.empty(len(codes), dtype=int)
    for code in np.flatnonzero(counts):
        members = np.flatnonzero(codes == code)
        dealt[rng.permutation(members)] = (np.arange(len(members)) + code) % folds
    return dealt


def _check(folds: int, available: int, what: str) -> None:
    if not 2 <= folds <= available:
        raise ValueError(f"folds {folds} must be between 2 and the {available} {what}")
