"""Identity read from pictures shown in one way, by decoders fitted to them shown in another.

A decoder learns who is who from upright faces and is asked about other images of the same
people, upright and turned over: what inversion costs there, it costs the code that the
network already has. Beside it, without a decoder: does an inverted face resemble its own
upright self more than it resembles other people?
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facelab_probing.identification import Gallery, choose_penalty
from facelab_probing.partition import divide
from facelab_probing.studies import Studies
from facelab_probing.tuning import TuningConfig, lattice


@dataclass(frozen=True, kw_only=True)
class TransferConfig:
    """How identity is read.

    Attributes
    ----------
    decoder : str
        "lda" or "logistic".
    folds : int
        Into which the images of held-out identities are divided.
    tuning : TuningConfig
    """

    decoder: str
    folds: int
    tuning: TuningConfig


def transfer_identity(
    shown: Mapping[str, np.ndarray],
    identity: np.ndarray,
    split: np.ndarray,
    config: TransferConfig,
    *,
    seed: int,
    name: str,
) -> dict[str, np.ndarray]:
    """Fit decoders of identity to the first view; ask them about images they did not meet.

    The penalty is chosen on the validation identities, in the first view. An image that was
    fitted in one view is not asked about in another.

    Parameters
    ----------
    shown : mapping of str to array, (N, U)
        Units of the same images in each view; decoders are fitted to the first.
    identity : array, (N,)
    split : str array, (N,)
        As in `partition.divide`.
    seed : int
        Of the folds.
    name : str
        Of the study.

    Returns
    -------
    accuracy : dict of array, (G,)
        For each view, the share of right answers within each testing identity, in sorted order,
        rescaled so that chance is 0.

    Raises
    ------
    ValueError
        If views differ in images, or as `partition.divide` does.
    """
    fitted = next(iter(shown.values()))
    for view, units in shown.items():
        if units.shape != fitted.shape:
            raise ValueError(f"view {view!r} has units {units.shape}, the first {fitted.shape}")
    partition = divide(fitted, identity, split, float(lattice(config.tuning)[0]))
    studies = Studies(config.tuning, name, "")
    penalty = choose_penalty(partition, config.decoder, config.folds, studies)
    gallery = Gallery(partition, partition.scoring, config.decoder, config.folds, seed)
    return {
        view: _recall(gallery, gallery.probabilities(penalty, units[partition.scoring]))
        for view, units in shown.items()
    }


def resemblance(
    upright: np.ndarray, inverted: np.ndarray, identity: np.ndarray
) -> dict[str, np.ndarray]:
    """Correlate the mean pattern of each identity upright with those of all inverted.

    Patterns are taken relative to the mean over identities of their own view, so that what all
    inverted faces have in common does not count (after Tian et al. 2022, who correlate class
    means).

    Parameters
    ----------
    upright, inverted : array, (n, U)
    identity : array, (n,)

    Returns
    -------
    resemblance : dict of array, (G,)
        ``same``: each identity's correlation with its own inverted pattern; ``others``: the mean
        of those with other identities' patterns.

    Raises
    ------
    ValueError
        If there are fewer than three identities.
    """
    people, members = np.unique(identity, return_inverse=True)
    if len(people) < 3:
        raise ValueError(f"resemblance needs 3 identities or more, not {len(people)}")
    patterns = [_patterns(units, members) for units in (upright, inverted)]
    correlation = patterns[0] @ patterns[1].T
    same = correlation.diagonal()
    return {"same": same, "others": (correlation.sum(axis=1) - same) / (len(people) - 1)}


def _recall(gallery: Gallery, shares: np.ndarray) -> np.ndarray:
    right = shares.argmax(axis=1) == gallery.codes
    recall = np.bincount(gallery.codes, right) / np.bincount(gallery.codes)
    chance = 1 / gallery.classes
    return (recall - chance) / (1 - chance)


def _patterns(units: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return each identity's mean pattern about the mean of all, of length 1: (G, U)."""
    sums = np.zeros((members.max() + 1, units.shape[1]))
    np.add.at(sums, members, units)
    patterns = sums / np.bincount(members)[:, None]
    patterns -= patterns.mean(axis=0)
    patterns -= patterns.mean(axis=1, keepdims=True)
    return patterns / np.maximum(np.linalg.norm(patterns, axis=1, keepdims=True), 1e-300)
