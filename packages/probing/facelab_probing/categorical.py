"""Categorical factors: the probability of every class, by linear decoders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from facelab_probing import discriminant, logistic
from facelab_probing.inference import Reading, Resamples, blocks_and_orders
from facelab_probing.jackknife import accuracy_left_out, auc_left_out, pseudovalues
from facelab_probing.partition import Partition, basis, require_labels
from facelab_probing.resampling import accuracy_null, auc_null, shuffled
from facelab_probing.scores import balanced_accuracy, scaled_auc
from facelab_probing.studies import Studies, choose


@dataclass(frozen=True)
class Decoder:
    """A decoder of classes: fitted once, asked for probabilities at any penalty."""

    fit: Callable[..., Any]
    probabilities: Callable[..., np.ndarray]


DECODERS: dict[str, Decoder] = {
    "logistic": Decoder(logistic.fit, logistic.probabilities),
    "lda": Decoder(discriminant.fit, discriminant.probabilities),
}


@dataclass(frozen=True)
class Categorical:
    """A categorical factor.

    Attributes
    ----------
    codes : int array, (N,)
        Class of each image; -1 where missing.
    classes : tuple of str
        Their names.
    within_identity : bool
        Whether it can change from image to image of an identity.
    """

    codes: np.ndarray
    classes: tuple[str, ...]
    within_identity: bool


def decode_categorical(
    partition: Partition,
    factors: Mapping[str, Categorical],
    decoders: tuple[str, ...],
    studies: Studies,
    resamples: Resamples,
) -> tuple[list[Reading], dict[str, np.ndarray]]:
    """Fit, tune and score every categorical factor with every decoder.

    Returns
    -------
    readings : list of Reading
        Two per factor and decoder: "auc" and "balanced_accuracy".
    predictions : dict of array, (N, K)
        Probabilities of all images, by "factor/decoder".
    """
    readings, predictions = [], {}
    for name, factor in factors.items():
        known = factor.codes >= 0
        require_labels(partition, known, name)
        for decoder in decoders:
            penalty, shares = _classify(partition, name, factor, decoder, studies)
            predictions[f"{name}/{decoder}"] = shares
            rows = partition.scoring & known
            readings += _score(
                (name, name, decoder, penalty),
                factor,
                (factor.codes[rows], shares[rows], partition.identity[rows]),
                resamples,
            )
    return readings, predictions


def _classify(
    partition: Partition, name: str, factor: Categorical, decoder: str, studies: Studies
) -> tuple[float, np.ndarray]:
    """Return the penalty chosen and the probabilities of every image."""
    known = factor.codes >= 0
    spectrum, scores = basis(partition, known)
    classes, kind = len(factor.classes), DECODERS[decoder]
    model = kind.fit(spectrum, factor.codes[partition.fitting & known], classes)
    rows = partition.tuning & known
    codes, tuning = factor.codes[rows], scores[rows]

    def score_at(penalty: float) -> np.ndarray:
        return np.array([scaled_auc(codes, kind.probabilities(model, tuning, penalty))])

    tuned = choose(studies, score_at, [name], factor=name, decoder=decoder)
    penalty = float(tuned.penalties[0])
    return penalty, kind.probabilities(model, scores, penalty)


def _score(
    labels: tuple[str, str, str, float],
    factor: Categorical,
    scored: tuple[np.ndarray, np.ndarray, np.ndarray],
    resamples: Resamples,
) -> list[Reading]:
    codes, shares, identity = scored
    members = np.searchsorted(resamples.identities, identity)
    blocks, orders = blocks_and_orders(resamples, members, factor.within_identity, labels[0])
    mixed = shuffled(codes, blocks, orders)
    sizes = len(members), len(np.unique(members))
    readings = []
    for measure, score_of, without, null_of in (
        ("auc", scaled_auc, auc_left_out, auc_null),
        ("balanced_accuracy", balanced_accuracy, accuracy_left_out, accuracy_null),
    ):
        score = score_of(codes, shares)
        left_out = without(codes, shares, members, len(resamples.identities))
        parts = score, pseudovalues(score, left_out, members), null_of(mixed, shares)
        readings.append(Reading(*labels, measure, *parts, *sizes))
    return readings
