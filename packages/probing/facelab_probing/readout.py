"""Reading one factor from one layer: fitted, tuned, and predicted for every image.

Fitting uses the training identities, tuning the validation identities, and the testing
identities wait for `decoding`. Identity itself cannot be read from identities never met:
it is decoded by folds over the images within the held-out identities, and the readout
says so (`across` is "images", elsewhere "identities").

Axes as in `spectrum`: N images, U units, R directions, T targets, K classes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import pandas as pd

from facelab_probing import discriminant, logistic
from facelab_probing import ridge as ridges
from facelab_probing.folds import stratified_folds
from facelab_probing.scores import scaled_auc
from facelab_probing.spectrum import Spectrum, check, decompose, project, require_disjoint
from facelab_probing.tuning import Tuned, TuningConfig, lattice, tune

SPLITS = ("training", "validation", "testing")


@dataclass(frozen=True)
class Classifier:
    """How classes are told apart: prepare for all penalties, then read at one."""

    fit: Callable[[Spectrum, np.ndarray, int], object]
    probabilities: Callable[[object, np.ndarray, float], np.ndarray]


CLASSIFIERS: dict[str, Classifier] = {
    "lda": Classifier(discriminant.fit, discriminant.probabilities),
    "logistic": Classifier(logistic.fit, logistic.probabilities),
}


@dataclass(frozen=True)
class Layer:
    """A layer's units (N, U), the identity and the split of each image; keeps its spectra."""

    units: np.ndarray
    groups: np.ndarray
    split: np.ndarray
    tuning: TuningConfig
    spectra: dict[bytes, tuple[Spectrum, np.ndarray]] = field(default_factory=dict)


@dataclass(frozen=True)
class Readout:
    """One decoder's answer for one factor.

    Attributes
    ----------
    columns : tuple of str
        Outputs of a continuous factor, or classes.
    truth : array, (N, T) or (N,)
        Targets, or codes into `columns`; NaN or -1 where missing.
    values : array, (N, T) or (N, K)
        Predictions, or the probability of each class; NaN where there is none.
    tuned : Tuned
        Penalties and validation scores, one per output; one for all classes.
    scored : bool array, (N,)
        Labelled images of testing identities.
    fitted : int
        Images that a scored decoder was fitted to.
    across : str
        What the score generalises to: new "identities", or new "images" of the same.
    """

    columns: tuple[str, ...]
    truth: np.ndarray
    values: np.ndarray
    tuned: Tuned
    scored: np.ndarray
    fitted: int
    across: str


def layer(units: np.ndarray, groups: np.ndarray, split: np.ndarray, tuning: TuningConfig) -> Layer:
    """Gather a layer; raise if the splits share an identity or one of them is empty."""
    units = check(units, groups)
    sides = [groups[split == name] for name in SPLITS]
    for name, side in zip(SPLITS, sides, strict=True):
        if not len(side):
            raise ValueError(f"no image is of split {name!r}; decoding needs {', '.join(SPLITS)}")
    training, validation, testing = sides
    require_disjoint(training, np.concatenate([validation, testing]))
    require_disjoint(validation, testing)
    return Layer(units, groups, split, tuning)


def read_continuous(layer: Layer, table: pd.DataFrame, factor: str, study: str) -> Readout:
    """Read all outputs of a continuous factor by ridge regression, a penalty for each.

    Parameters
    ----------
    table : DataFrame
        The factor's outputs, a column each; an image without one of them is left out.
    """
    truth = table.to_numpy(dtype=np.float64)
    seen = np.isfinite(truth).all(axis=1)
    spectrum, scores = _basis(layer, seen, factor)
    training, validation, testing = (seen & (layer.split == name) for name in SPLITS)
    ridge = ridges.fit(spectrum, truth[training])
    penalties = lattice(layer.tuning)
    curves = ridges.curves(ridge, scores[validation], truth[validation], penalties)
    columns = tuple(table.columns)
    tuned = _tune(layer, curves.__getitem__, columns, factor, study, truth)
    values = ridges.predict(ridge, scores, tuned.penalties)
    return Readout(columns, truth, values, tuned, testing, int(training.sum()), "identities")


def read_classes(layer: Layer, labels: pd.Series, factor: str, decoder: str, study: str) -> Readout:
    """Read a categorical factor; its penalty is the best for scaled AUC on validation.

    A class that no training image has gets probability 0: it counts as missed.
    """
    codes, classes = encode(labels)
    spectrum, scores = _basis(layer, codes >= 0, factor)
    training, validation, testing = ((codes >= 0) & (layer.split == name) for name in SPLITS)
    method = CLASSIFIERS[decoder]
    model = method.fit(spectrum, codes[training], len(classes))
    penalties = lattice(layer.tuning)

    def score_at(step: int) -> np.ndarray:
        shares = method.probabilities(model, scores[validation], penalties[step])
        return np.array([scaled_auc(codes[validation], shares)])

    tuned = _tune(layer, score_at, (factor,), factor, study, codes)
    values = method.probabilities(model, scores, tuned.penalties[0])
    return Readout(classes, codes, values, tuned, testing, int(training.sum()), "identities")


def read_identity(layer: Layer, factor: str, decoder: str, folds: int, study: str) -> Readout:
    """Read identity by folds over images, among validation and among testing identities.

    The penalty is chosen among the validation identities and applied to the testing ones.
    Other images have no prediction.
    """
    held_out = np.isin(layer.split, SPLITS[1:])
    codes, classes = encode(pd.Series(layer.groups).where(held_out))
    values = np.full((len(codes), len(classes)), np.nan)
    validation, testing = (
        _by_folds(layer, np.flatnonzero(layer.split == name), codes, decoder, folds)
        for name in SPLITS[1:]
    )
    penalties = lattice(layer.tuning)
    rows = np.flatnonzero(layer.split == "validation")

    def score_at(step: int) -> np.ndarray:
        return np.array([scaled_auc(codes[rows], validation(penalties[step], len(classes)))])

    tuned = _tune(layer, score_at, (factor,), factor, f"{study}/{folds}", codes)
    values[rows] = validation(tuned.penalties[0], len(classes))
    scored = layer.split == "testing"
    values[scored] = testing(tuned.penalties[0], len(classes))
    fitted = int(scored.sum()) * (folds - 1) // folds
    return Readout(classes, codes, values, tuned, scored, fitted, "images")


def encode(labels: pd.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return codes, -1 where the label is missing (None, NaN, or the number -1), and classes."""
    if pd.api.types.is_numeric_dtype(labels):
        labels = labels.where(labels != -1)
        if (labels.dropna() % 1 == 0).all():
            labels = labels.astype("Int64")
    codes, classes = pd.factorize(labels, sort=True)
    return codes.astype(int), tuple(str(name) for name in classes)


def _basis(layer: Layer, seen: np.ndarray, factor: str) -> tuple[Spectrum, np.ndarray]:
    """Return the spectrum of the labelled training images, and all images in its basis."""
    for name in SPLITS:
        if not (seen & (layer.split == name)).any():
            raise ValueError(f"factor {factor!r} has no label on any image of split {name!r}")
    training = seen & (layer.split == "training")
    key = training.tobytes()
    if key not in layer.spectra:
        weakest = layer.tuning.penalty_range[0]
        spectrum = decompose(layer.units[training], layer.groups[training], weakest)
        scores = project(spectrum, layer.units, layer.groups, may_overlap=True)
        layer.spectra[key] = spectrum, scores
    return layer.spectra[key]


def _by_folds(
    layer: Layer, rows: np.ndarray, codes: np.ndarray, decoder: str, folds: int
) -> Callable[[float, int], np.ndarray]:
    """Fit a classifier per fold of images; return how to predict each image by the others."""
    method = CLASSIFIERS[decoder]
    met, local = np.unique(codes[rows], return_inverse=True)
    dealt = stratified_folds(local, folds, layer.tuning.seed)
    fitted = []
    for fold in range(folds):
        kept, out = rows[dealt != fold], rows[dealt == fold]
        weakest = layer.tuning.penalty_range[0]
        spectrum = decompose(layer.units[kept], layer.groups[kept], weakest)
        scores = project(spectrum, layer.units[out], layer.groups[out], may_overlap=True)
        fitted.append((method.fit(spectrum, local[dealt != fold], len(met)), scores))

    def predict(penalty: float, classes: int) -> np.ndarray:
        values = np.zeros((len(rows), classes))
        for fold, (model, scores) in enumerate(fitted):
            shares = method.probabilities(model, scores, penalty)
            values[np.ix_(dealt == fold, met)] = shares
        return values

    return predict


def _tune(
    layer: Layer,
    score_at: Callable[[int], np.ndarray],
    targets: tuple[str, ...],
    factor: str,
    study: str,
    truth: np.ndarray,
) -> Tuned:
    key = ""
    if layer.tuning.storage:
        digest = blake2b(digest_size=16)
        for part in (layer.units, truth, layer.groups.astype(str), layer.split.astype(str)):
            digest.update(np.ascontiguousarray(part).data)
        key = digest.hexdigest()
    return tune(score_at, targets, layer.tuning, factor=factor, study=study, key=key)
