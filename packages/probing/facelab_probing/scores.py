"""How well a factor is read: measures for which chance is 0 and perfection 1.

Continuous factors are (N, T), a column per target, and missing where NaN; classes are
integer codes (N,), missing where -1. Missing images are left out. A score that is not
defined, because the truth does not vary, is NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

ROUNDING = 1e-24  # variance / mean square that double precision cannot tell from a constant


def r_squared(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return the share of variance predicted, per target.

    The reference is the mean of the scored images themselves (as in scikit-learn's
    `r2_score`), which no decoder can know; so chance is 0 or a little below.

    Parameters
    ----------
    targets, predictions : array, (N, T)

    Returns
    -------
    scores : array, (T,)
    """
    seen = np.isfinite(targets)
    residual = np.where(seen, targets - predictions, 0)
    return 1 - (residual**2).sum(axis=0) / total_squares(targets)


def correlation(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return Pearson's r of truth and prediction, per target: blind to scale and offset."""
    seen = np.isfinite(targets)
    guesses = np.where(seen, predictions, np.nan)
    products = (_centre(targets) * _centre(guesses)).sum(axis=0)
    return products / np.sqrt(total_squares(targets) * total_squares(guesses))


def total_squares(values: np.ndarray) -> np.ndarray:
    """Sum the squares about the mean of each column; NaN where it does not vary.

    Missing values are left out. Rounding does not count as varying.
    """
    squares = (_centre(values) ** 2).sum(axis=0)
    return np.where(squares > ROUNDING * np.nansum(values**2, axis=0), squares, np.nan)


def scaled_auc(codes: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the area under the ROC curve of each class against the rest, averaged, as 2 A − 1.

    Classes that no scored image has are left out; a class that the decoder never met has
    equal probabilities everywhere and scores 0.

    Parameters
    ----------
    codes : int array, (N,)
    probabilities : array, (N, K)
    """
    codes, probabilities = _known(codes, probabilities)
    counts = np.bincount(codes, minlength=probabilities.shape[1])
    scored = np.flatnonzero((counts > 0) & (counts < len(codes)))
    if not len(scored):
        return float("nan")
    ranks = rankdata(probabilities[:, scored], axis=0)
    sums = (ranks * np.equal.outer(codes, scored)).sum(axis=0)
    return float(np.mean(auc_of_rank_sums(sums, counts[scored], len(codes))))


def auc_of_rank_sums(sums: np.ndarray, positives: np.ndarray, images: int) -> np.ndarray:
    """Return scaled AUC from the summed ranks of the positives (Mann & Whitney 1947)."""
    pairs = positives * (images - positives)
    pairs = np.where(pairs > 0, pairs, np.nan)
    return 2 * (sums - positives * (positives + 1) / 2) / pairs - 1


def balanced_accuracy(codes: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share of images given their own class, averaged over classes, above chance.

    (recall − 1/K) / (1 − 1/K) for the K classes that the scored images have, as in
    scikit-learn's `balanced_accuracy_score(adjusted=True)`.
    """
    codes, probabilities = _known(codes, probabilities)
    counts = np.bincount(codes, minlength=probabilities.shape[1])
    hits = np.bincount(codes[probabilities.argmax(axis=1) == codes], minlength=len(counts))
    scored = counts > 0
    chance = 1 / max(scored.sum(), 1)
    if chance == 1:
        return float("nan")
    return float((np.mean(hits[scored] / counts[scored]) - chance) / (1 - chance))


def circular_error_deg(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return the mean absolute angle between truth and prediction, per target, in degrees.

    359° and 1° are 2° apart. Chance is 90 for angles all around, perfection 0.
    """
    apart = np.abs((predictions - targets + 180) % 360 - 180)
    return np.nanmean(apart, axis=0)


@dataclass(frozen=True)
class Measure:
    """A score: the kind of factor it is for, and how to compute it."""

    kind: str
    score: Callable[[np.ndarray, np.ndarray], np.ndarray | float]


MEASURES: dict[str, Measure] = {
    "r2": Measure("continuous", r_squared),
    "r": Measure("continuous", correlation),
    "auc": Measure("categorical", scaled_auc),
    "balanced_accuracy": Measure("categorical", balanced_accuracy),
}


def _centre(values: np.ndarray) -> np.ndarray:
    """Subtract each column's mean over the values there are; zero where there is none."""
    seen = np.isfinite(values)
    kept = np.where(seen, values, 0)
    return np.where(seen, kept - kept.sum(axis=0) / np.maximum(seen.sum(axis=0), 1), 0)


def _known(codes: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return codes[codes >= 0], probabilities[codes >= 0]
