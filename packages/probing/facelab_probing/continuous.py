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
from facelab_probing.partition import Partition, Round, basis, require_labels
from facelab_probing.resampling import r2_null
from facelab_probing.scores import r_squared, total_squares
from facelab_probing.studies import Studies, average, choose
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
    """Regress the targets of several factors together; tune each; predict every image.

    Of several rounds, the median penalty and the mean score of tuning are told.
    """
    targets = np.hstack([factor.targets for factor in factors.values()])
    penalties = lattice(studies.config)
    guesses = np.full(targets.shape, np.nan)
    found: dict[str, list[Tuned]] = {name: [] for name in factors}
    for fold, each in enumerate(partition.rounds):
        table = _curves(partition, each, known, targets, penalties)
        spectrum, scores = basis(partition, each.fitting & known)
        model = ridge.fit(spectrum, targets[each.fitting & known])
        for name, columns in _columns(factors).items():
            curves = dict(zip(penalties.tolist(), table[:, columns], strict=True))
            tuned = choose(
                studies,
                curves.__getitem__,
                factors[name].names,
                factor=name,
                decoder="ridge",
                fold=fold,
            )
            found[name].append(tuned)
            part = ridge.Ridge(model.values, model.moments[:, columns], model.means[columns])
            told = ridge.predict(part, scores[each.predicting], tuned.penalties)
            guesses[each.predicting, columns] = told
    return {
        name: (average(found[name]), guesses[:, columns])
        for name, columns in _columns(factors).items()
    }


def _columns(factors: Mapping[str, Continuous]) -> dict[str, slice]:
    """Say which columns each factor has, where all targets stand side by side."""
    ends = np.cumsum([len(factor.names) for factor in factors.values()]).tolist()
    return dict(zip(factors, map(slice, [0, *ends], ends), strict=False))


def _curves(
    partition: Partition,
    each: Round,
    known: np.ndarray,
    targets: np.ndarray,
    penalties: np.ndarray,
) -> np.ndarray:
    """Score every penalty on the images that a round tunes on, all together: R², (A, T)."""
    missed = 0.0
    for fitted, asked in each.tuning:
        spectrum, scores = basis(partition, fitted & known)
        model = ridge.fit(spectrum, targets[fitted & known])
        rows = asked & known
        missed = missed + ridge.errors(model, scores[rows], targets[rows], penalties)
    everyone = np.any([asked for _, asked in each.tuning], axis=0)
    return 1 - missed / total_squares(targets[everyone & known])


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
