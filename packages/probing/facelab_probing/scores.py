"""How well a factor is read: measures for which chance is 0 and perfection 1.

Continuous factors are (N, T), a column per target, and missing where NaN; classes are
integer codes (N,), missing where -1. Missing images are left out. A score that is not
defined, because the truth does not vary, is NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata


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
    return 1 - (residual**2).sum(axis=0) / _positive((_centre(targets, seen) ** 2).sum(axis=0))


def correlation(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return Pearson's r of truth and prediction, per target: blind to scale and offset."""
    seen = np.isfinite(targets)
    truth, guess = _centre(targets, seen), _centre(predictions, seen)
    power = (truth**2).sum(axis=0) * (guess**2).sum(axis=0)
    return (truth * guess).sum(axis=0) / np.sqrt(_positive(power))


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
    pairs = _positive(positives * (images - positives))
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


def _centre(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Subtract each column's mean over the images seen; zero elsewhere."""
    kept = np.where(seen, values, 0)
    return np.where(seen, kept - kept.sum(axis=0) / np.maximum(seen.sum(axis=0), 1), 0)


def _known(codes: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return codes[codes >= 0], probabilities[codes >= 0]


def _positive(values: np.ndarray) -> np.ndarray:
    """Make values that are not positive NaN, so that a division by them is undefined, not loud."""
    return np.where(values > 0, values, np.nan)
