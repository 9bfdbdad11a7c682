"""The images of one layer, divided by identity into those fitted, tuned on and scored.

An identity is on one side only: a decoder that meets it again can recognise the person
instead of reading the factor. Images in `holdout` show identities that were fitted; they
are predicted and not scored.

Where there are people enough they are divided once (`divide`). A set of few people is
crossed (`cross`): everyone in testing is scored, by a decoder fitted to all others, whose
penalty was chosen by leaving out one more fold at a time (nested cross-validation).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from facelab_probing.folds import grouped_folds
from facelab_probing.spectrum import Spectrum, check, decompose, project, require_disjoint

SPLITS = ("training", "holdout", "validation", "testing")
FEWEST_FOLDS = 3


@dataclass(frozen=True)
class Round:
    """One decoder that is scored, and those that its penalty is chosen by.

    Attributes
    ----------
    fitting, scoring : bool array, (N,)
    tuning : tuple of (bool array, bool array), (N,) each
        Images to fit, and images to score penalties on; the scores are of all together.
    predicting : bool array, (N,)
        The images that this decoder speaks for.
    """

    fitting: np.ndarray
    tuning: tuple[tuple[np.ndarray, np.ndarray], ...]
    scoring: np.ndarray
    predicting: np.ndarray


@dataclass(frozen=True)
class Partition:
    """The units of one layer and the part that each image plays.

    Attributes
    ----------
    units : array, (N, U)
    identity : array, (N,)
    rounds : tuple of Round
        One where people are divided once; as many as folds where they are crossed.
    weakest : float
        The weakest penalty that will be asked for.
    bases : dict
        Decompositions made so far, by the images fitted.
    """

    units: np.ndarray
    identity: np.ndarray
    rounds: tuple[Round, ...]
    weakest: float
    bases: dict[bytes, tuple[Spectrum, np.ndarray]] = field(default_factory=dict)

    @property
    def fitting(self) -> np.ndarray:
        """The images that some scored decoder is fitted to."""
        return np.any([each.fitting for each in self.rounds], axis=0)

    @property
    def tuning(self) -> np.ndarray:
        """The images that some penalty is chosen on."""
        return np.any([asked for each in self.rounds for _, asked in each.tuning], axis=0)

    @property
    def scoring(self) -> np.ndarray:
        """The images that are scored."""
        return np.any([each.scoring for each in self.rounds], axis=0)


def divide(units: np.ndarray, identity: np.ndarray, split: np.ndarray, weakest: float) -> Partition:
    """Divide the images by split; raise where an identity would be on two sides.

    Parameters
    ----------
    units : array, (N, U)
    identity : array, (N,)
    split : str array, (N,)
        One of `SPLITS` per image.
    weakest : float
        The weakest penalty that will be asked for.

    Raises
    ------
    ValueError
        If identities are shared, or a split is unknown or empty.
    """
    units, identity, split = _checked(units, identity, split)
    for name in ("training", "validation", "testing"):
        if not (split == name).any():
            raise ValueError(f"no image has the split {name!r}; decoding needs it")
    fitted, tuning, scoring = split == "training", split == "validation", split == "testing"
    require_disjoint(identity[fitted | (split == "holdout")], identity[tuning | scoring])
    shared = np.intersect1d(identity[tuning], identity[scoring])
    if len(shared):
        names = ", ".join(map(str, shared[:5])) + (" …" if len(shared) > 5 else "")
        raise ValueError(f"{len(shared)} identities are both tuned on and scored ({names})")
    once = Round(fitted, ((fitted, tuning),), scoring, np.ones(len(units), bool))
    return Partition(units, identity, (once,), weakest)


def cross(
    units: np.ndarray,
    identity: np.ndarray,
    split: np.ndarray,
    weakest: float,
    *,
    folds: int,
    seed: int,
) -> Partition:
    """Deal the testing identities to folds, each to be scored by decoders that never met it.

    Identities in training, if there are any, are fitted in every round and never scored: a
    network that was trained on them answers them better than others.

    Parameters
    ----------
    units, identity, split, weakest
        As in `divide`; nobody is in validation.
    folds : int
        At least 3: one to score, one to tune on, one to fit. At most one identity each.

    Raises
    ------
    ValueError
        If identities are shared, a split is unknown, or there are too few folds or identities.
    """
    units, identity, split = _checked(units, identity, split)
    scored, fitted = split == "testing", split == "training"
    require_disjoint(identity[fitted | (split == "holdout")], identity[scored])
    people = len(np.unique(identity[scored]))
    if min(folds, people) < FEWEST_FOLDS:
        raise ValueError(
            f"{folds} folds of {people} testing identities: at least {FEWEST_FOLDS} of each are "
            "needed, one to score, one to tune on, one to fit"
        )
    dealt = np.full(len(units), -1)
    dealt[scored] = grouped_folds(identity[scored], min(folds, people), seed)
    return Partition(units, identity, rounds_of(dealt, scored | fitted), weakest)


def rounds_of(folds: np.ndarray, eligible: np.ndarray) -> tuple[Round, ...]:
    """Score each fold by what is fitted to all others, tuned with one more left out at a time.

    Parameters
    ----------
    folds : int array, (N,)
        The fold of each image, from 0; -1 where it is never scored.
    eligible : bool array, (N,)
        The images that may be fitted.
    """
    numbers = range(int(folds.max()) + 1)

    def without(*left_out: int) -> np.ndarray:
        return eligible & ~np.isin(folds, left_out)

    return tuple(
        Round(
            without(number),
            tuple((without(number, inner), folds == inner) for inner in numbers if inner != number),
            folds == number,
            folds == number,
        )
        for number in numbers
    )


def basis(partition: Partition, rows: np.ndarray) -> tuple[Spectrum, np.ndarray]:
    """Decompose some images; bring every image into that basis.

    Factors with the same images share the decomposition. Its axes are let go of: they may be
    large, and no image is left to project.

    Parameters
    ----------
    rows : bool array, (N,)
        The images to fit.

    Returns
    -------
    spectrum : Spectrum
    scores : array, (N, R)
    """
    key = np.packbits(rows).tobytes()
    if key not in partition.bases:
        fitted = partition.identity[rows]
        spectrum = decompose(partition.units[rows], fitted, partition.weakest)
        scores = project(spectrum, partition.units, partition.identity, may_overlap=True)
        partition.bases[key] = replace(spectrum, axes=np.empty((0, scores.shape[1]))), scores
    return partition.bases[key]


def require_labels(partition: Partition, known: np.ndarray, factor: str) -> None:
    """Raise if a part of the images has no label at all."""
    for name, rows in _parts(partition):
        if not (rows & known).any():
            raise ValueError(f"factor {factor!r} has no label on any {name} image")


def _parts(partition: Partition) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what must not be empty, under the name of its split."""
    for each in partition.rounds:
        yield "training", each.fitting
        yield from (("training", fitted) for fitted, _ in each.tuning)
        yield "validation", np.any([asked for _, asked in each.tuning], axis=0)
    yield "testing", partition.scoring


def _checked(
    units: np.ndarray, identity: np.ndarray, split: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return units, identities and splits as arrays of one length, with splits that are known."""
    split, identity = np.asarray(split, dtype=str), np.asarray(identity)
    units = check(units, identity)
    if len(split) != len(units):
        raise ValueError(f"split has {len(split)} entries for {len(units)} images")
    unknown = sorted(set(split.tolist()) - set(SPLITS))
    if unknown:
        raise ValueError(f"unknown split {unknown[0]!r}; choose from {', '.join(SPLITS)}")
    return units, identity, split
