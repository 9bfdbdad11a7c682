"""Continuous factors, all at once: one decomposition, a penalty per target.

Factors whose labels are known on the same images are one regression of many targets. A
factor with several outputs (shape, albedo) is summarised twice: "mean" averages the scores
of its outputs; "best" is the output that was best on the validation identities, scored on
the testing identities, so that being the maximum of many does not flatter it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from facelab_probing import ridge
from facelab_probing.inference import Reading, Resamples, blocks_and_orders
from facelab_probing.jackknife import pseudovalues, r2_left_out
from facelab_probing.partition import Partition, basis, require_labels
from facelab_probing.resampling import r2_null
from facelab_probing.scores import r_squared
from facelab_probing.studies import Studies, choose
from facelab_probing.tuning import Tuned, lattice

DECODERS = ("ridge",)


@dataclass(frozen=True)
class Continuous:
    """A continuous factor.

    Attributes
    ----------
    targets : array, (N, T)
        NaN where missing; an image that lacks one output is left out of the factor.
    names : tuple of str
        The T outputs.
    within_identity : bool
        Whether it can change from image to image of an identity.
    """

    targets: np.ndarray
    names: tuple[str, ...]
    within_identity: bool


def decode_continuous(
    partition: Partition,
    factors: Mapping[str, Continuous],
    studies: Studies,
    resamples: Resamples,
) -> tuple[list[Reading], dict[str, np.ndarray]]:
    """Fit, tune and score all continuous factors.

    Returns
    -------
    readings : list of Reading
        A row per output; for several outputs also "mean" and "best".
    predictions : dict of array, (N, T)
        By "factor/ridge", for every image.
    """
    readings, predictions = [], {}
    for known, names in _by_known_images(factors):
        for factor in names:
            require_labels(partition, known, factor)
        group = {factor: factors[factor] for factor in names}
        for factor, (tuned, guesses) in _regress(partition, known, group, studies).items():
            predictions[f"{factor}/ridge"] = guesses
            rows = partition.scoring & known
            scored = group[factor].targets[rows], guesses[rows], partition.identity[rows]
            readings += _score(factor, group[factor], tuned, scored, resamples)
    return readings, predictions


def _by_known_images(
    factors: Mapping[str, Continuous],
) -> list[tuple[np.ndarray, list[str]]]:
    """Group the factors whose labels are known on the same images."""
    groups: dict[bytes, tuple[np.ndarray, list[str]]] = {}
    for name, factor in factors.items():
        known = np.isfinite(factor.targets).all(axis=1)
        groups.setdefault(np.packbits(known).tobytes(), (known, []))[1].append(name)
    return list(groups.values())


def _regress(
    partition: Partition, known: np.ndarray, factors: Mapping[str, Continuous], studies: Studies
) -> dict[str, tuple[Tuned, np.ndarray]]:
    """Regress the targets of several factors together; tune each; predict every image."""
    spectrum, scores = basis(partition, known)
    targets = np.hstack([factor.targets for factor in factors.values()])
    model = ridge.fit(spectrum, targets[partition.fitting & known])
    tuning = partition.tuning & known
    penalties = lattice(studies.config)
    table = ridge.curves(model, scores[tuning], targets[tuning], penalties)
    curves = dict(zip(penalties.tolist(), table, strict=True))
    results, start = {}, 0
    for name, factor in factors.items():
        columns = slice(start, start + len(factor.names))
        start = columns.stop
        tuned = choose(
            studies,
            lambda penalty, columns=columns: curves[penalty][columns],
            factor.names,
            factor=name,
            decoder="ridge",
        )
        part = ridge.Ridge(model.values, model.moments[:, columns], model.means[columns])
        results[name] = tuned, ridge.predict(part, scores, tuned.penalties)
    return results


def _score(
    factor: str,
    truth: Continuous,
    tuned: Tuned,
    scored: tuple[np.ndarray, np.ndarray, np.ndarray],
    resamples: Resamples,
) -> list[Reading]:
    targets, predictions, identity = scored
    members = np.searchsorted(resamples.identities, identity)
    mixing = blocks_and_orders(resamples, members, truth.within_identity, factor)
    scores = r_squared(targets, predictions)
    left_out = r2_left_out(targets, predictions, members, len(resamples.identities))
    null = r2_null(targets, predictions, *mixing)
    sizes = len(members), len(np.unique(members))

    def reading(target: str, penalty: float, columns: list[int]) -> Reading:
        score = float(scores[columns].mean())
        values = pseudovalues(score, left_out[:, columns].mean(axis=1), members)
        parts = score, values, null[:, columns].mean(axis=1)
        return Reading(factor, target, "ridge", penalty, "r2", *parts, *sizes)

    single = [reading(name, float(tuned.penalties[i]), [i]) for i, name in enumerate(truth.names)]
    return single + _summaries(reading, scores, tuned)


def _summaries(
    reading: Callable[[str, float, list[int]], Reading], scores: np.ndarray, tuned: Tuned
) -> list[Reading]:
    """Summarise several outputs; those that do not vary are left out."""
    defined = np.flatnonzero(np.isfinite(scores)).tolist()
    if len(scores) == 1 or not defined:
        return []
    best = int(np.argmax(np.nan_to_num(tuned.scores, nan=-np.inf)))
    return [
        reading("mean", float("nan"), defined),
        reading("best", float(tuned.penalties[best]), [best]),
    ]
