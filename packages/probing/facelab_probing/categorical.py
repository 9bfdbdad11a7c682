"""Categorical factors: the probability of every class, by linear decoders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from facelab_probing import discriminant, logistic
from facelab_probing.inference import Reading, Resamples, blocks_and_orders
from facelab_probing.jackknife import accuracy_left_out, auc_left_out, pseudovalues
from facelab_probing.partition import Partition, Round, basis, require_labels
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
            penalty, shares = classify(partition, name, factor, decoder, studies)
            predictions[f"{name}/{decoder}"] = shares
            rows = partition.scoring & known
            readings += _score(
                (name, name, decoder, penalty),
                factor,
                (factor.codes[rows], shares[rows], partition.identity[rows]),
                resamples,
            )
    return readings, predictions


def classify(
    partition: Partition, name: str, factor: Categorical, decoder: str, studies: Studies
) -> tuple[float, np.ndarray]:
    """Fit and tune one decoder of a factor, in every round.

    Returns
    -------
    penalty : float
        The one chosen; the median of several rounds.
    probabilities : array, (N, K)
        Of every image that a round speaks for, else NaN.
    """
    known, kind = factor.codes >= 0, DECODERS[decoder]
    models: dict[bytes, Any] = {}

    def ask(fitted: np.ndarray, asked: np.ndarray, penalty: float) -> np.ndarray:
        spectrum, scores = basis(partition, fitted & known)
        key = np.packbits(fitted).tobytes()
        if key not in models:
            models[key] = kind.fit(spectrum, factor.codes[fitted & known], len(factor.classes))
        return kind.probabilities(models[key], scores[asked], penalty)

    penalties = np.empty(len(partition.rounds))
    shares = np.full((len(known), len(factor.classes)), np.nan)
    for fold, each in enumerate(partition.rounds):
        codes = np.concatenate([factor.codes[asked & known] for _, asked in each.tuning])

        def score_at(penalty: float, each: Round = each, codes: np.ndarray = codes) -> np.ndarray:
            parts = [ask(fitted, asked & known, penalty) for fitted, asked in each.tuning]
            return np.array([scaled_auc(codes, np.concatenate(parts))])

        tuned = choose(studies, score_at, [name], factor=name, decoder=decoder, fold=fold)
        penalties[fold] = tuned.penalties[0]
        shares[each.predicting] = ask(each.fitting, each.predicting, penalties[fold])
    return float(np.median(penalties)), shares


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
