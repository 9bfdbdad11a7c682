"""Linear decoding: what can be read off a layer by a weighted sum.

Every factor is fitted on the training identities, its penalty chosen on the validation
identities, and scored once on the testing identities; in a set that has no validation
identities the testing identities are crossed instead (see `partition`). Scores are 0 at
chance and 1 at perfection: R² of continuous factors, scaled area under the ROC curve of
categorical ones and of identity, beside balanced accuracy. Each has a 95 % interval over
identities and a null by shuffled labels.

`decode` serves one layer; all factors, penalties and trials share its decomposition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pandas as pd

from facelab_probing import categorical, continuous
from facelab_probing.categorical import Categorical, decode_categorical
from facelab_probing.continuous import Continuous, decode_continuous
from facelab_probing.identification import decode_identity
from facelab_probing.inference import resample, tabulate
from facelab_probing.partition import Partition, cross, divide
from facelab_probing.studies import Studies, history
from facelab_probing.tuning import TuningConfig, lattice

LEVELS = ("identity", "image")


@dataclass(frozen=True, kw_only=True)
class DecodeConfig:
    """How to decode.

    Attributes
    ----------
    continuous : tuple of str
        Decoders of continuous factors; there is one, "ridge".
    categorical : tuple of str
        Decoders of categorical factors: "logistic", "lda" or both.
    identity : tuple of str
        Decoders of identity, of the same choice; empty leaves identity out.
    tuning : TuningConfig
    folds : int
        Into which the images of held-out identities are divided to decode identity.
    identity_folds : int
        Into which the testing identities are divided where nobody is in validation; of
        fewer identities, each is a fold.
    permutations : int
        Shuffles of labels behind a null.
    """

    continuous: tuple[str, ...]
    categorical: tuple[str, ...]
    identity: tuple[str, ...]
    tuning: TuningConfig
    folds: int
    identity_folds: int
    permutations: int


@dataclass(frozen=True)
class Decoding:
    """What was read off a layer.

    Attributes
    ----------
    scores : DataFrame
        A row per factor, target, decoder and measure ("r2", "auc", "balanced_accuracy"):
        factor, target, decoder, penalty, measure, score, low, high, null_high, p, n,
        identities. A factor with several outputs has a row for each, and the targets
        "mean" (over outputs) and "best" (on validation).
    predictions : dict of array
        By "factor/decoder", a row for every image: predictions (N, T) of continuous
        factors, probabilities (N, K) of the others; of identity for testing images only.
    classes : dict of tuple
        What the K columns stand for, by factor.
    history : DataFrame
        factor, target, decoder, trial, penalty, score on validation.
    statistics : dict of array
        "values" (rows, testing identities) and "null" (rows, permutations), a row per
        score: what `inference.over_seeds` combines and `intervals` compares.
    """

    scores: pd.DataFrame
    predictions: dict[str, np.ndarray]
    classes: dict[str, tuple]
    history: pd.DataFrame
    statistics: dict[str, np.ndarray]


def decode(
    units: np.ndarray,
    factors: pd.DataFrame,
    outputs: Mapping[str, Sequence[str]],
    *,
    kinds: Mapping[str, str],
    levels: Mapping[str, str],
    split: np.ndarray,
    identity: np.ndarray,
    config: DecodeConfig,
    seed: int,
    name: str = "layer",
) -> Decoding:
    """Decode every factor, and identity, from the units of one layer.

    Parameters
    ----------
    units : array, (N, U)
        Activations of N images, or their principal components.
    factors : DataFrame
        A row per image. Labels that are missing (NaN, None, -1 for a class) are skipped.
    outputs : mapping of str to sequence of str
        Columns of each factor to decode; "identity" may be among them.
    kinds : mapping of str
        "continuous" or "categorical", by factor.
    levels : mapping of str
        "identity" for what is constant within an identity, else "image"; tells what is
        shuffled for the null.
    split : str array, (N,)
        training (fitted), holdout (predicted only), validation (penalties), testing. Without
        validation the testing identities are crossed.
    identity : array, (N,)
    seed : int
        Of folds and shuffles. The same seed gives the same for every layer
        and network that saw the same stimuli.
    name : str
        The layer, in the names of studies; must be unique within a tuning storage.

    Raises
    ------
    ValueError
        If identities are shared between splits; if a kind, level, decoder or split is
        unknown; if units are not finite; if a part of the images has no label.
    """
    _check(outputs, kinds, levels, config)
    partition = _divide(units, identity, split, config, seed)
    resamples = resample(partition.identity[partition.scoring], config.permutations, seed)
    numbers, labels = _labels(factors, outputs, kinds, levels, partition.identity)
    studies = Studies(config.tuning, name, _key(partition.units, factors, split, config))
    parts = [
        decode_continuous(partition, numbers if config.continuous else {}, studies, resamples),
        decode_categorical(partition, labels, config.categorical, studies, resamples),
        decode_identity(partition, config.identity, config.folds, studies, resamples),
    ]
    scores, statistics = tabulate([reading for readings, _ in parts for reading in readings])
    predictions = {name: guess for _, guesses in parts for name, guess in guesses.items()}
    classes = {factor: truth.classes for factor, truth in labels.items()}
    classes["identity"] = tuple(resamples.identities.tolist())
    return Decoding(scores, predictions, classes, history(studies), statistics)


def _divide(
    units: np.ndarray, identity: np.ndarray, split: np.ndarray, config: DecodeConfig, seed: int
) -> Partition:
    """Divide people once, or cross them where nobody is in validation."""
    weakest = float(lattice(config.tuning)[0])
    if (np.asarray(split) == "validation").any():
        return divide(units, identity, split, weakest)
    return cross(units, identity, split, weakest, folds=config.identity_folds, seed=seed)


def _check(
    outputs: Mapping[str, Sequence[str]],
    kinds: Mapping[str, str],
    levels: Mapping[str, str],
    config: DecodeConfig,
) -> None:
    """Raise on the first word that is unknown."""
    choices = [
        (kinds.get(factor), ("continuous", "categorical"), f"kind of {factor!r}")
        for factor in outputs
    ]
    choices += [(levels.get(factor), LEVELS, f"level of {factor!r}") for factor in outputs]
    choices += [(name, continuous.DECODERS, "continuous decoder") for name in config.continuous]
    choices += [
        (name, tuple(categorical.DECODERS), "categorical decoder")
        for name in (*config.categorical, *config.identity)
    ]
    for value, known, what in choices:
        if value not in known:
            raise ValueError(f"unknown {what}: {value!r}; choose from {', '.join(known)}")


def _labels(
    factors: pd.DataFrame,
    outputs: Mapping[str, Sequence[str]],
    kinds: Mapping[str, str],
    levels: Mapping[str, str],
    identity: np.ndarray,
) -> tuple[dict[str, Continuous], dict[str, Categorical]]:
    """Take the labels out of the table; identity is decoded apart."""
    numbers, classes = {}, {}
    for factor, columns in outputs.items():
        if factor == "identity":
            continue
        within = levels[factor] == "image"
        if kinds[factor] == "continuous":
            values = factors[list(columns)].to_numpy(dtype=np.float64, na_value=np.nan)
            numbers[factor] = Continuous(values, tuple(columns), within)
        else:
            values, names = _codes(factors[columns[0]])
            classes[factor] = Categorical(values, names, within)
        if not within:
            _require_constant(factor, values, identity)
    return numbers, classes


def _codes(column: pd.Series) -> tuple[np.ndarray, tuple]:
    """Return each label as a number, -1 where missing, and the classes in order."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(dtype=np.int64), tuple(column.cat.categories)
    if pd.api.types.is_numeric_dtype(column):
        column = column.where(column != -1)
    codes, names = pd.factorize(column, sort=True)
    return codes.astype(np.int64), tuple(names.tolist())


def _require_constant(factor: str, values: np.ndarray, identity: np.ndarray) -> None:
    """Raise if a factor of identities changes within one; labels that are missing do not."""
    known = values if values.dtype.kind == "f" else np.where(values < 0, np.nan, values)
    by_identity = pd.DataFrame(known).groupby(np.asarray(identity))
    if (by_identity.max() - by_identity.min()).max().max() > 1e-6 * np.nanmax(np.abs(known)):
        raise ValueError(f"factor {factor!r} has level 'identity' but varies within an identity")


def _key(units: np.ndarray, factors: pd.DataFrame, split: np.ndarray, config: DecodeConfig) -> str:
    """Name the data, for studies that are stored."""
    if not config.tuning.storage:
        return ""
    digest = blake2b(np.ascontiguousarray(units).tobytes(), digest_size=16)
    digest.update(f"{config.folds} {config.identity_folds}".encode())
    digest.update(pd.util.hash_pandas_object(factors.assign(_split=split), index=False).to_numpy())
    return digest.hexdigest()
