"""Scores of resampled identities and of shuffled labels, without visiting images again.

A bootstrap draw is a count per identity, so a score is computed from sums per identity
(R², accuracy) or per pair of identities (AUC: how often an image of one, in the class,
is ranked above an image of the other, outside it). The null distribution keeps the
predictions and shuffles the labels.

Axes: n images scored, G identities, T targets, K classes, B draws, P shuffles.
"""

import numpy as np
from scipy import sparse
from scipy.stats import rankdata

from facelab_probing.scores import auc_of_rank_sums


def r2_draws(
    targets: np.ndarray, predictions: np.ndarray, members: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Return R² of every target in every draw, (B, T).

    The reference stays the mean of all scored images: the mean of a draw would be nearer
    to the draw than to the population and bias R² down by 1 / G. To first order the
    spread of the draws is the same.

    Parameters
    ----------
    targets, predictions : array, (n, T)
    members : int array, (n,)
        Each image's identity, 0 … G - 1.
    counts : array, (B, G)
        How often a draw has each identity.
    """
    gather = _gather(members, counts.shape[1])
    lost = counts @ (gather @ (targets - predictions) ** 2)
    spread = counts @ (gather @ (targets - targets.mean(axis=0)) ** 2)
    return 1 - lost / _positive(spread)


def r2_null(
    targets: np.ndarray, predictions: np.ndarray, blocks: np.ndarray, orders: np.ndarray
) -> np.ndarray:
    """Return R² of every target after every shuffle, (P, T).

    Parameters
    ----------
    targets, predictions : array, (n, T)
    blocks : int array, (n,)
        What is shuffled as one: the identity, or the image.
    orders : int array, (P, blocks)
        Each block takes the targets of the block given here.
    """
    middle = targets.mean(axis=0)
    values, sizes = _first(targets - middle, blocks), np.bincount(blocks)
    guesses = predictions - middle
    sums, power = _gather(blocks, len(sizes)) @ guesses, (guesses**2).sum(axis=0)
    null = np.empty((len(orders), targets.shape[1]))
    for row, order in zip(null, orders, strict=True):
        shuffled = values[order]
        squares = sizes @ shuffled**2
        spread = squares - (sizes @ shuffled) ** 2 / len(targets)
        row[:] = 1 - (squares - 2 * (shuffled * sums).sum(axis=0) + power) / _positive(spread)
    return null


def auc_draws(
    codes: np.ndarray, probabilities: np.ndarray, members: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Return scaled AUC, averaged over the classes that a draw has, (B,).

    Parameters
    ----------
    codes : int array, (n,)
    probabilities : array, (n, K)
    members : int array, (n,)
    counts : array, (B, G)
    """
    areas = []
    for code in np.unique(codes):
        inside = codes == code
        wins = _wins(probabilities[:, code], inside, members, counts.shape[1])
        positives = counts @ np.bincount(members[inside], minlength=counts.shape[1])
        negatives = counts @ np.bincount(members[~inside], minlength=counts.shape[1])
        won = np.einsum("bg,bg->b", counts @ wins, counts)
        areas.append(2 * won / _positive(positives * negatives) - 1)
    return _mean(np.array(areas).T)


def areas(codes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return scaled AUC of each class, for many labellings of the same images, (P, K).

    Parameters
    ----------
    codes : int array, (P, n)
    probabilities : array, (n, K)
    """
    ranks = rankdata(probabilities, axis=0)
    chosen = np.take_along_axis(ranks, codes.T, axis=1).T
    sums, sizes = _tally(codes, ranks.shape[1], chosen), _tally(codes, ranks.shape[1])
    return auc_of_rank_sums(sums, sizes, codes.shape[1])


def auc_null(codes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return scaled AUC, averaged over classes, for shuffled codes (P, n): (P,)."""
    return _mean(areas(codes, probabilities))


def accuracy_draws(
    codes: np.ndarray, probabilities: np.ndarray, members: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Return adjusted balanced accuracy in every draw, (B,); arguments as in `auc_draws`."""
    gather = _gather(members, counts.shape[1])
    inside = np.equal.outer(codes, np.arange(probabilities.shape[1])).astype(float)
    right = inside * (probabilities.argmax(axis=1) == codes)[:, None]
    return _adjusted(counts @ (gather @ right), counts @ (gather @ inside))


def accuracy_null(codes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return adjusted balanced accuracy for shuffled codes (P, n): (P,)."""
    right = (codes == probabilities.argmax(axis=1)).astype(float)
    classes = probabilities.shape[1]
    return _adjusted(_tally(codes, classes, right), _tally(codes, classes))


def recalls(codes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the share of each class's images that are given to it, (K,)."""
    right = (codes == probabilities.argmax(axis=1)).astype(float)
    sizes = np.bincount(codes, minlength=probabilities.shape[1])
    return np.bincount(codes, right, minlength=len(sizes)) / _positive(sizes)


def shuffled(codes: np.ndarray, blocks: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Give each block the code of another, (P, n); arguments as in `r2_null`."""
    return _first(codes, blocks)[orders][:, blocks]


def _wins(scores: np.ndarray, inside: np.ndarray, members: np.ndarray, groups: int) -> np.ndarray:
    """Count pairs ranked rightly, ties half: (G of the image inside, G of the one outside)."""
    order = np.argsort(scores[~inside], kind="stable")
    ordered = scores[~inside][order]
    below = np.zeros((len(ordered) + 1, groups), dtype=np.float32)
    below[np.arange(1, len(below)), members[~inside][order]] = 1
    np.cumsum(below, axis=0, out=below)
    left = np.searchsorted(ordered, scores[inside], "left")
    right = np.searchsorted(ordered, scores[inside], "right")
    return _gather(members[inside], groups) @ ((below[left] + below[right]) / 2).astype(float)


def _tally(codes: np.ndarray, classes: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Sum over the images of each class, per labelling: (P, K)."""
    places = codes + classes * np.arange(len(codes))[:, None]
    flat = None if weights is None else weights.ravel()
    return np.bincount(places.ravel(), flat, len(codes) * classes).reshape(-1, classes)


def _adjusted(hits: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Average recall over the classes that are there, so that chance is 0."""
    chance = 1 / np.maximum((sizes > 0).sum(axis=1), 1)
    return (_mean(hits / _positive(sizes)) - chance) / _positive(1 - chance)


def _mean(values: np.ndarray) -> np.ndarray:
    """Average each row over what is defined."""
    seen = np.isfinite(values)
    return np.where(seen, values, 0).sum(axis=1) / _positive(seen.sum(axis=1))


def _gather(members: np.ndarray, groups: int) -> sparse.csr_array:
    """Return the matrix that sums images per group, (G, n)."""
    images = np.arange(len(members))
    return sparse.csr_array((np.ones(len(members)), (members, images)), (groups, len(members)))


def _first(values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Return the value that each block has."""
    return values[np.unique(blocks, return_index=True)[1]]


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)
