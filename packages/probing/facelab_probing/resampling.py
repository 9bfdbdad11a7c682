"""Scores of shuffled labels: what a decoder reaches that knows nothing of them.

The null distribution keeps the predictions and shuffles the labels, in blocks: identities
for what is constant within one, else images.

Axes: n images scored, T targets, K classes, P shuffles.
"""

import numpy as np
from scipy.stats import rankdata

from facelab_probing.scores import auc_of_rank_sums
from facelab_probing.sums import above_chance, average, gather, positive


def r2_null(
    targets: np.ndarray, predictions: np.ndarray, blocks: np.ndarray, orders: np.ndarray
) -> np.ndarray:
    """Return R² of every target after every shuffle, (P, T).

    Parameters
    ----------
    targets, predictions : array, (n, T)
    blocks : int array, (n,)
        What is shuffled as one: the identity, or the image (`inference.blocks_and_orders`).
    orders : int array, (P, blocks)
        Each block takes the targets of the block given here.
    """
    middle = targets.mean(axis=0)
    values, sizes = _first(targets - middle, blocks), np.bincount(blocks)
    guesses = predictions - middle
    sums, power = gather(blocks, len(sizes)) @ guesses, (guesses**2).sum(axis=0)
    null = np.empty((len(orders), targets.shape[1]))
    for row, order in zip(null, orders, strict=True):
        shuffled = values[order]
        squares = sizes @ shuffled**2
        spread = squares - (sizes @ shuffled) ** 2 / len(targets)
        row[:] = 1 - (squares - 2 * (shuffled * sums).sum(axis=0) + power) / positive(spread)
    return null


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
    return average(areas(codes, probabilities))


def accuracy_null(codes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return adjusted balanced accuracy for shuffled codes (P, n): (P,)."""
    right = (codes == probabilities.argmax(axis=1)).astype(float)
    classes = probabilities.shape[1]
    return above_chance(_tally(codes, classes, right), _tally(codes, classes))


def shuffled(codes: np.ndarray, blocks: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Give each block the code of another, (P, n); arguments as in `r2_null`."""
    return _first(codes, blocks)[orders][:, blocks]


def _tally(codes: np.ndarray, classes: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Sum over the images of each class, per labelling: (P, K)."""
    places = codes + classes * np.arange(len(codes))[:, None]
    flat = None if weights is None else weights.ravel()
    return np.bincount(places.ravel(), flat, len(codes) * classes).reshape(-1, classes)


def _first(values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Return the value that each block has."""
    return values[np.unique(blocks, return_index=True)[1]]
