"""Ridge decoding of small sets by leaving identities out, without refitting for each fold.

The moments of a fold (sums, Gram matrix, products with the targets) are taken once. Those
of any training set are the sum over the folds it keeps, so it costs one decomposition and
no pass over its images. Nested folds cost no more passes: the set without folds i and j
serves both, to tune for i on j, and for j on i.

Units are z-scored on the training images of each fold, by rescaling its Gram matrix.
That squares the condition number; where it could be felt (a penalty under 1e-8 of the
largest eigenvalue, a unit that hardly varies without the fold, more units than images)
the images are decomposed instead.

Axes as in `spectrum`; F folds.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from facelab_probing import ridge as ridges
from facelab_probing.folds import grouped_folds
from facelab_probing.ridge import Ridge
from facelab_probing.scores import total_squares
from facelab_probing.spectrum import (
    GRAM_LIMIT,
    Spectrum,
    centre,
    check,
    decompose,
    eigenbasis_of_gram,
    project,
)
from facelab_probing.tuning import TuningConfig, lattice, tune

BARELY = 1e-4  # share of a unit's standard deviation below which its moments are not trusted


@dataclass(frozen=True)
class CrossDecoded:
    """What leaving identities out found.

    Attributes
    ----------
    predictions : array, (N, T)
        Of each image, by the decoder that never met its identity.
    folds : int array, (N,)
        The fold in which an image was held out.
    penalties : array, (F, T)
        Chosen within the training identities of each fold.
    history : DataFrame
        The studies of all folds: column fold, then those of `tuning.Tuned`.
    """

    predictions: np.ndarray
    folds: np.ndarray
    penalties: np.ndarray
    history: pd.DataFrame


@dataclass(frozen=True)
class Sample:
    """Units that vary (N, U), about their mean; targets (N, T), groups and folds (N,).

    `spread` is the standard deviation of each unit, (U,).
    """

    units: np.ndarray
    spread: np.ndarray
    targets: np.ndarray
    groups: np.ndarray
    folds: np.ndarray


class _Moments(NamedTuple):
    images: int
    units: np.ndarray
    targets: np.ndarray
    gram: np.ndarray
    products: np.ndarray


def cross_decode(
    units: np.ndarray,
    targets: np.ndarray,
    groups: np.ndarray,
    *,
    folds: int,
    tuning: TuningConfig,
    seed: int,
    factor: str,
    study: str = "",
    key: str = "",
) -> CrossDecoded:
    """Predict every image from the other identities, penalties tuned on further ones.

    Parameters
    ----------
    units : array, (N, U)
    targets : array, (N, T)
        Without missing values.
    groups : array, (N,)
        Identity of each image.
    folds : int
        Folds of identities, at least 3: one is predicted while the others, one at a time,
        are held out to tune.
    study, key : str
        As in `tuning.tune`; each fold has a study of its own.
    """
    if folds < 3:
        raise ValueError(f"folds {folds} must be at least 3: one to predict, two to tune")
    sample = gather(units, targets, groups, grouped_folds(groups, folds, seed))
    names = [f"{factor}_{target:03d}" for target in range(targets.shape[1])]
    penalties = lattice(tuning)
    moments = _moments_by_fold(sample)
    inner = _pair_errors(sample, moments, penalties)
    predictions = np.empty(sample.targets.shape)
    chosen, histories = [], []
    for fold in range(folds):
        rows = sample.folds != fold
        scores = 1 - inner[fold] / total_squares(sample.targets[rows])
        label = f"{study}/{fold}" if study else ""
        tuned = tune(scores.__getitem__, names, tuning, factor=factor, study=label, key=key)
        spectrum, ridge = _fit_without(sample, moments, (fold,), penalties[0])
        held_out = project(spectrum, sample.units[~rows], groups[~rows])
        predictions[~rows] = ridges.predict(ridge, held_out, tuned.penalties)
        chosen.append(tuned.penalties)
        histories.append(tuned.history.assign(fold=fold))
    history = pd.concat(histories, ignore_index=True)
    return CrossDecoded(predictions, sample.folds, np.array(chosen), history)


def gather(units: np.ndarray, targets: np.ndarray, groups: np.ndarray, folds: np.ndarray) -> Sample:
    """Put images, targets, identities and folds together; raise if a fold splits an identity."""
    units = check(units, groups)
    pairs = np.unique(np.column_stack([np.unique(groups, return_inverse=True)[1], folds]), axis=0)
    if len(pairs) != len(np.unique(groups)):
        raise ValueError("an identity lies in more than one fold; deal them with grouped_folds")
    _, centred, spread, alive = centre(units)
    if not alive.all():
        centred, spread = centred[:, alive], spread[alive]
    return Sample(centred, spread, np.asarray(targets, dtype=np.float64), groups, folds)


def cross_fit(sample: Sample, penalties: np.ndarray) -> tuple[np.ndarray, Spectrum, Ridge]:
    """Score every penalty on identities left out, and fit all images.

    Returns
    -------
    curves : array, (A, T)
        R² over the images of all folds.
    spectrum, ridge
        Of all images, for any penalty; the spectrum's units are those of `sample`.
    """
    moments = _moments_by_fold(sample)
    summed = 0.0
    for fold in tqdm(range(len(moments)), desc="folds", leave=False, disable=None):
        spectrum, ridge = _fit_without(sample, moments, (fold,), penalties.min())
        summed = summed + _fold_errors(sample, spectrum, ridge, fold, penalties)
    spectrum, ridge = _fit_without(sample, moments, (), penalties.min())
    return 1 - summed / total_squares(sample.targets), spectrum, ridge


def _pair_errors(
    sample: Sample, moments: list[_Moments], penalties: np.ndarray
) -> list[np.ndarray]:
    """Sum, for each fold, the errors (A, T) of tuning without it on the others."""
    summed = [np.zeros((len(penalties), sample.targets.shape[1])) for _ in moments]
    pairs = list(combinations(range(len(moments)), 2))
    for one, other in tqdm(pairs, desc="inner folds", leave=False, disable=None):
        spectrum, ridge = _fit_without(sample, moments, (one, other), penalties[0])
        summed[one] += _fold_errors(sample, spectrum, ridge, other, penalties)
        summed[other] += _fold_errors(sample, spectrum, ridge, one, penalties)
    return summed


def _fold_errors(
    sample: Sample, spectrum: Spectrum, ridge: Ridge, fold: int, penalties: np.ndarray
) -> np.ndarray:
    rows = sample.folds == fold
    held_out = project(spectrum, sample.units[rows], sample.groups[rows])
    return ridges.errors(ridge, held_out, sample.targets[rows], penalties)


def _moments_by_fold(sample: Sample) -> list[_Moments]:
    found = []
    for fold in range(int(sample.folds.max()) + 1):
        units, targets = (part[sample.folds == fold] for part in (sample.units, sample.targets))
        sums = units.sum(axis=0), targets.sum(axis=0)
        found.append(_Moments(len(units), *sums, units.T @ units, units.T @ targets))
    return found


def _fit_without(
    sample: Sample, moments: list[_Moments], left_out: tuple[int, ...], smallest: float
) -> tuple[Spectrum, Ridge]:
    """Decompose and fit the images of all folds but some, from the moments where that is safe."""
    kept = [part for fold, part in enumerate(moments) if fold not in left_out]
    rows = ~np.isin(sample.folds, left_out)
    groups = np.unique(sample.groups[rows])
    fitted = _fit_moments(_Moments(*map(sum, zip(*kept, strict=True))), sample, groups, smallest)
    if fitted is None:
        spectrum = decompose(sample.units[rows], sample.groups[rows], smallest)
        fitted = spectrum, ridges.fit(spectrum, sample.targets[rows])
    return fitted


def _fit_moments(
    moments: _Moments, sample: Sample, groups: np.ndarray, smallest: float
) -> tuple[Spectrum, Ridge] | None:
    """Fit from moments; None where double precision does not carry their squares."""
    if moments.images <= sample.units.shape[1]:
        return None
    mean, means = moments.units / moments.images, moments.targets / moments.images
    gram = moments.gram - moments.images * np.outer(mean, mean)
    scale = np.sqrt(np.maximum(np.diag(gram), 0) / moments.images)
    if (scale <= BARELY * sample.spread).any():
        return None
    values, vectors = eigenbasis_of_gram(gram / scale / scale[:, None])
    if smallest < GRAM_LIMIT * values.max(initial=0):
        return None
    axes = vectors / scale[:, None]
    products = moments.products - moments.images * np.outer(mean, means)
    spectrum = Spectrum(mean, axes, values, np.empty((0, len(values))), groups, len(scale))
    return spectrum, Ridge(values, axes.T @ products, means)
