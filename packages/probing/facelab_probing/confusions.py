"""Who is taken for whom, and whether mistakes gather on a few names.

A network that no longer knows what it sees may still have favourites: then any two mistakes, about
different people, give the same name more often than if each were a blind guess.

Axes: M images, C classes.
"""

import numpy as np


def confusion(truth: np.ndarray, named: np.ndarray, classes: int) -> np.ndarray:
    """Count how often images of each class were given each name.

    Parameters
    ----------
    truth, named : int array, (M,)
    classes : int
        How many there are.

    Returns
    -------
    counts : int array, (C, C)
        True classes by names.

    Raises
    ------
    ValueError
        When a class is not among them.
    """
    for codes in (truth, named):
        if len(codes) and not 0 <= codes.min() <= codes.max() < classes:
            wrong = codes[(codes < 0) | (codes >= classes)][0]
            raise ValueError(f"class {wrong} is not one of {classes}")
    return np.bincount(truth * classes + named, minlength=classes**2).reshape(classes, classes)


def coincidence(counts: np.ndarray) -> np.ndarray:
    """Give the share of pairs of mistakes, about two classes, that give the same name.

    Its inverse is the number of names that mistakes are spread over, were each as frequent
    (Simpson's index, from pairs of different classes: images of one class are no independent
    observations, and few mistakes do not look like few names).

    Parameters
    ----------
    counts : int array, (C, C)
        As from `confusion`; what is right is not looked at.

    Returns
    -------
    values : array, (G,)
        A pseudo-value of each class that has images, by leaving it out (the jackknife); their mean
        is the coincidence, see `intervals`. NaN where fewer than three classes have mistakes.
    """
    wrong = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    wrong = wrong[counts.sum(axis=1) > 0].astype(np.float64)
    if (wrong.sum(axis=1) > 0).sum() < 3:
        return np.full(len(wrong), np.nan)
    own, sizes = (wrong**2).sum(axis=1), wrong.sum(axis=1)
    names, total = wrong.sum(axis=0), sizes.sum()
    same = (names**2).sum() - own.sum()
    pairs = total**2 - (sizes**2).sum()
    same_without = same - 2 * (wrong @ names - own)
    pairs_without = pairs - 2 * sizes * (total - sizes)
    groups = len(wrong)
    return groups * same / pairs - (groups - 1) * same_without / pairs_without


def blind(classes: int) -> float:
    """Give the coincidence of mistakes that are blind guesses among the other classes.

    >>> round(1 / blind(101))
    101
    """
    return (classes - 2) / (classes - 1) ** 2
