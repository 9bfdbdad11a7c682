"""Scores of fixed predictions against labels handed out anew: the null's engine.

What is exchanged are blocks of images: whole identities for a factor that an identity
keeps (its images would otherwise count as independent evidence), single images for a
factor that varies within one.

Axes: N images, M blocks, D draws, T targets, K classes.
"""

from functools import partial

import numpy as np
from scipy.stats import rankdata

from facelab_probing.scores import auc_of_rank_sums
from facelab_probing.sums import (
    CONTINUOUS,
    PairSums,
    adjusted_accuracy,
    mean_over_classes,
    sum_by,
)


def draw_orders(blocks: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw permutations: which block receives each block's label, (D, M)."""
    return rng.permuted(np.tile(np.arange(blocks), (draws, 1)), axis=1)


def permuted(
    measure: str,
    truth: np.ndarray,
    predictions: np.ndarray,
    blocks: np.ndarray,
    orders: np.ndarray,
) -> np.ndarray:
    """Score the predictions against permuted labels.

    Parameters
    ----------
    measure : str
        A key of `scores.MEASURES`.
    truth, predictions : array
        Targets and predictions (N, T), or codes (N,) and probabilities (N, K); none missing.
    blocks : int array, (N,)
        Block of each image, 0 … M - 1.
    orders : int array, (D, M)
        In each draw, the block that receives each block's label.

    Returns
    -------
    scores : array, (D, T); (D, 1) for classes

    Raises
    ------
    ValueError
        If the truth varies within a block.
    """
    first = np.unique(blocks, return_index=True)[1]
    if not np.array_equal(truth[first][blocks], truth):
        raise ValueError("labels vary within the blocks to be exchanged; permute images instead")
    return _PERMUTED[measure](truth[first], predictions, blocks, orders)


def _continuous(
    measure: str,
    labels: np.ndarray,
    predictions: np.ndarray,
    blocks: np.ndarray,
    orders: np.ndarray,
) -> np.ndarray:
    origin = labels.mean(axis=0)
    y, p = labels - origin, predictions - origin
    tallies = sum_by(blocks, p, len(y))
    received = np.bincount(blocks)[orders].astype(np.float64)
    images = np.float64(len(p))
    scores = np.empty((len(orders), y.shape[1]))
    for target in range(y.shape[1]):  # one at a time: draws × blocks is large enough
        label, guess = y[:, target], p[:, target]
        sums = PairSums(
            n=images,
            y=received @ label,
            yy=received @ label**2,
            p=guess.sum(),
            pp=(guess**2).sum(),
            yp=tallies[:, target][orders] @ label,
        )
        scores[:, target] = CONTINUOUS[measure](sums)
    return scores


def _accuracy(
    labels: np.ndarray, predictions: np.ndarray, blocks: np.ndarray, orders: np.ndarray
) -> np.ndarray:
    chosen = np.equal.outer(predictions.argmax(axis=1), np.unique(labels))
    return adjusted_accuracy(*_handed_out(labels, chosen, blocks, orders))


def _auc(
    labels: np.ndarray, predictions: np.ndarray, blocks: np.ndarray, orders: np.ndarray
) -> np.ndarray:
    ranks = rankdata(predictions[:, np.unique(labels)], axis=0)
    sums, counts = _handed_out(labels, ranks, blocks, orders)
    return mean_over_classes(auc_of_rank_sums(sums, counts, len(predictions)))


def _handed_out(
    labels: np.ndarray, credit: np.ndarray, blocks: np.ndarray, orders: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sum each class's credit, (N, K), over the images that received its label; count them."""
    tallies = sum_by(blocks, credit, len(labels))
    sizes = np.bincount(blocks)
    sums = np.empty((len(orders), credit.shape[1]))
    counts = np.empty_like(sums)
    for column, code in enumerate(np.unique(labels)):
        receivers = orders[:, labels == code]
        sums[:, column] = tallies[:, column][receivers].sum(axis=1)
        counts[:, column] = sizes[receivers].sum(axis=1)
    return sums, counts


_PERMUTED = {
    **{measure: partial(_continuous, measure) for measure in CONTINUOUS},
    "auc": _auc,
    "balanced_accuracy": _accuracy,
}
