"""The score without each identity in turn, and what each identity adds: pseudo-values.

A score of many images is no mean over identities, but has pseudo-values that act like the
values of one: G times the score less G - 1 times the score without identity g (Tukey 1958;
Miller 1974; Efron & Tibshirani 1993, chapter 11). Their mean is the score less its bias of
order 1 / G; their standard error is that of the score, where identities are the clusters
of images that are drawn (Field & Welsh 2007); with Student's t they make an interval.

At 48 identities this covers the population's score in 94 to 97 % of samples. Percentile
intervals of a bootstrap over identities cover a mean over 136 outputs in 1 % of samples:
averaging removes the spread of the draws, and their bias stays.

Scores come from sums per identity; no image is visited once per identity.

Axes: n images scored, G identities, T targets, K classes.
"""

import numpy as np
from scipy.stats import rankdata

from facelab_probing.sums import above_chance, average, gather, positive


def pseudovalues(score: float, left_out: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return what each identity adds to a score, (G,); NaN for one without images.

    All are NaN if the score without some identity is not defined.

    Parameters
    ----------
    left_out : array, (G,)
        The score without each identity.
    members : int array, (n,)
        Each image's identity, 0 … G - 1.
    """
    there = np.bincount(members, minlength=len(left_out)) > 0
    if not np.isfinite(left_out[there]).all():
        return np.full(len(left_out), np.nan)
    count = there.sum()
    return np.where(there, count * score - (count - 1) * left_out, np.nan)


def unbiased(score: float, left_out: np.ndarray) -> np.ndarray:
    """Move scores without each identity so that pseudo-values average to the score.

    For a score that depends on how many identities there are (who is it, among 48?), the
    population is of sets of the same size, and one identity less is another task.
    """
    return left_out - left_out.mean() + score


def r2_left_out(
    targets: np.ndarray, predictions: np.ndarray, members: np.ndarray, groups: int
) -> np.ndarray:
    """Return R² of every target without each identity, (G, T).

    Parameters
    ----------
    targets, predictions : array, (n, T)
    members : int array, (n,)
    groups : int
        G.
    """
    sums = gather(members, groups)
    around = targets - targets.mean(axis=0)
    lost = _without(sums @ (targets - predictions) ** 2)
    sizes = len(members) - np.bincount(members, minlength=groups)[:, None]
    spread = _without(sums @ around**2) - _without(sums @ around) ** 2 / positive(sizes)
    return 1 - lost / positive(spread)


def auc_left_out(
    codes: np.ndarray, probabilities: np.ndarray, members: np.ndarray, groups: int
) -> np.ndarray:
    """Return scaled AUC without each identity, averaged over the classes still there, (G,).

    Parameters
    ----------
    codes : int array, (n,)
    probabilities : array, (n, K)
    members : int array, (n,)
    groups : int
    """
    areas = []
    for code in np.unique(codes):
        inside = codes == code
        scores = rankdata(probabilities[:, code], method="dense")
        side = inside.astype(int)
        below = _ranks(scores, 0 * side) - _ranks(scores, side)
        beaten = np.where(inside, below, inside.sum() - below)  # pairs ranked rightly
        within = _ranks(scores, members) - _ranks(scores, 2 * members + side)
        of_group = np.bincount(members, beaten, groups)
        twice = np.bincount(members[inside], within[inside], groups)
        won = beaten[inside].sum() - of_group + twice
        positives = inside.sum() - np.bincount(members[inside], minlength=groups)
        negatives = (~inside).sum() - np.bincount(members[~inside], minlength=groups)
        areas.append(2 * won / positive(positives * negatives) - 1)
    return average(np.array(areas).T)


def accuracy_left_out(
    codes: np.ndarray, probabilities: np.ndarray, members: np.ndarray, groups: int
) -> np.ndarray:
    """Return adjusted balanced accuracy without each identity, (G,); as `auc_left_out`."""
    sums = gather(members, groups)
    inside = np.equal.outer(codes, np.arange(probabilities.shape[1])).astype(float)
    right = inside * (probabilities.argmax(axis=1) == codes)[:, None]
    return above_chance(_without(sums @ right), _without(sums @ inside))


def gallery_left_out(codes: np.ndarray, probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scores of telling identities apart without each of them, (G,).

    An identity is a class and, for all others, someone to be confused with; it leaves in
    both roles. Decoders are not fitted again; images that were given to it go to their
    second choice. Scores depend on how many identities there are, so what their mean lacks
    of the score is no bias (see `unbiased`).

    Parameters
    ----------
    codes : int array, (n,)
        Identity of each image, 0 … G - 1; none is without images.
    probabilities : array, (n, G)

    Returns
    -------
    left_out : dict of array
        "auc" and "balanced_accuracy".
    """
    sizes = np.bincount(codes, minlength=probabilities.shape[1])
    groups = len(sizes)
    if groups < 2:
        undefined = np.full(groups, np.nan)
        return {"auc": undefined, "balanced_accuracy": undefined}
    areas = np.array([_areas_without(codes, probabilities, code) for code in range(groups)])
    np.fill_diagonal(areas, np.nan)
    first, second = np.argsort(-probabilities, axis=1, kind="stable")[:, :2].T
    recalls = np.bincount(codes, first == codes, groups) / sizes
    gained = np.bincount(first, (second == codes) / sizes[codes], groups)
    chance = 1 / (groups - 1)
    accuracy = ((recalls.sum() - recalls + gained) * chance - chance) / positive(1 - chance)
    return {"auc": average(areas.T), "balanced_accuracy": accuracy}


def _areas_without(codes: np.ndarray, probabilities: np.ndarray, code: int) -> np.ndarray:
    """Return scaled AUC of one identity against all others but each, (G,)."""
    scores, inside, groups = probabilities[:, code], codes == code, probabilities.shape[1]
    beaten = inside.sum() - rankdata(scores)[~inside] + rankdata(scores[~inside])
    won = np.bincount(codes[~inside], beaten, groups)
    others = np.bincount(codes[~inside], minlength=groups)
    return 2 * _without(won) / positive(inside.sum() * _without(others)) - 1


def _without(sums: np.ndarray) -> np.ndarray:
    return sums.sum(axis=0) - sums


def _ranks(scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Rank each image within its group, ties half; scores are whole and at least 1."""
    ranks = rankdata(groups * (scores.max() + 1.0) + scores)
    sizes = np.bincount(groups)
    return ranks - (np.cumsum(sizes) - sizes)[groups]
