"""What can be read off a layer by weighted sums: every factor, scored on new identities.

Decoders are fitted on training identities, tuned on validation identities and scored once
on testing identities; an identity on two sides is an error. Each score comes with an
interval over identities and with the null of labels handed out anew. Nothing is written
here: tables, predictions and tuning histories are returned.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tqdm import tqdm

from facelab_probing.assessment import InferenceConfig, assess
from facelab_probing.inference import LEVELS
from facelab_probing.readout import (
    CLASSIFIERS,
    Layer,
    Readout,
    layer,
    read_classes,
    read_continuous,
    read_identity,
)
from facelab_probing.scores import MEASURES
from facelab_probing.tuning import TuningConfig

KINDS = ("continuous", "categorical")
IDENTITY = "identity"
COLUMNS = (
    "factor", "target", "output", "decoder", "across", "penalty", "measure", "score",
    "low", "high", "null_high", "p", "n_fit", "n", "identities",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DecodingConfig:
    """How factors are decoded.

    Attributes
    ----------
    classifiers : tuple of str
        For categorical factors: keys of `readout.CLASSIFIERS`. Continuous factors are
        read by ridge regression.
    identity_classifiers : tuple of str
        For identity.
    folds : int
        Folds over images in which identity is decoded.
    tuning : TuningConfig
    inference : InferenceConfig
    """

    classifiers: tuple[str, ...]
    identity_classifiers: tuple[str, ...]
    folds: int
    tuning: TuningConfig
    inference: InferenceConfig


@dataclass(frozen=True)
class Prediction:
    """What a decoder says of every image, fitted ones included.

    Attributes
    ----------
    columns : tuple of str
        Outputs, or classes.
    values : float32 array, (N, C)
        Predicted targets, or the probability of each class; NaN where there is none.
    true_probability : float32 array, (N,)
        Of the image's own class; empty for a continuous factor.
    chosen : int array, (N,)
        The most probable class, -1 where there is none; empty for a continuous factor.
    """

    columns: tuple[str, ...]
    values: np.ndarray
    true_probability: np.ndarray
    chosen: np.ndarray


@dataclass(frozen=True)
class Decoded:
    """Everything read from one layer.

    Attributes
    ----------
    scores : DataFrame
        Columns `COLUMNS`; a row per factor, output, decoder and measure.
    predictions : dict
        By "<decoder>/<factor>".
    histories : DataFrame
        Columns decoder, then those of `tuning.Tuned.history`.
    """

    scores: pd.DataFrame
    predictions: dict[str, Prediction]
    histories: pd.DataFrame


def decode(
    units: np.ndarray,
    factors: pd.DataFrame,
    *,
    outputs: Mapping[str, tuple[str, ...]],
    kinds: Mapping[str, str],
    levels: Mapping[str, str],
    config: DecodingConfig,
    seed: int,
    study: str = "",
) -> Decoded:
    """Decode every factor from one layer.

    A factor with several outputs also gets a row for their "mean", with an interval of
    the mean, and one for the "best" output. The best is chosen on validation identities
    and scored on testing identities: the highest of many test scores is biased upwards.

    Parameters
    ----------
    units : array, (N, U)
    factors : DataFrame
        N rows; columns ``identity``, ``split`` and all outputs.
    outputs : mapping
        The columns of each factor to decode; several continuous columns may be joined
        under one name.
    kinds, levels : mapping
        "continuous" or "categorical", and "identity" or "image", by factor.
    seed : int
        Of bootstrap and null. The draws depend on it and on the factor only, so that
        layers and networks are compared on the same draws.
    study : str
        Prefix of the studies' names in a storage: network and layer.
    """
    _check(outputs, kinds, levels, config)
    groups, split = factors[IDENTITY].to_numpy(), factors["split"].to_numpy(dtype=str)
    here = layer(units, groups, split, config.tuning)
    tables, predictions, histories = [], {}, []
    for factor in tqdm(outputs, desc=f"decode {study}".rstrip(), leave=False):
        columns = factors[list(outputs[factor])]
        for decoder, readout in _readouts(
            here, columns, factor, kind=kinds[factor], config=config, study=study
        ):
            table = assess(
                readout,
                groups,
                factor=factor,
                kind=kinds[factor],
                level="image" if factor == IDENTITY else levels[factor],
                config=config.inference,
                seed=seed,
            )
            tables.append(table.assign(decoder=decoder))
            predictions[f"{decoder}/{factor}"] = _prediction(readout, kinds[factor])
            histories.append(readout.tuned.history.assign(decoder=decoder))
    scores = pd.concat(tables, ignore_index=True)[list(COLUMNS)]
    return Decoded(scores, predictions, pd.concat(histories, ignore_index=True))


def _check(
    outputs: Mapping[str, tuple[str, ...]],
    kinds: Mapping[str, str],
    levels: Mapping[str, str],
    config: DecodingConfig,
) -> None:
    """Raise where a name is unknown, before anything is fitted."""
    asked = [
        ("classifier", {*config.classifiers, *config.identity_classifiers}, CLASSIFIERS),
        ("measure", set(config.inference.measures), MEASURES),
        ("kind", {kinds[factor] for factor in outputs}, KINDS),
        ("level", {levels[factor] for factor in outputs}, LEVELS),
    ]
    for what, names, known in asked:
        for name in sorted(names - set(known)):
            raise ValueError(f"unknown {what} {name!r}; choose from {', '.join(known)}")
    measured = {MEASURES[name].kind for name in config.inference.measures}
    for kind in sorted({kinds[factor] for factor in outputs} - measured):
        raise ValueError(f"no measure in {config.inference.measures} is for {kind} factors")
    if not outputs:
        raise ValueError("outputs name no factor to decode")


def _readouts(
    here: Layer,
    columns: pd.DataFrame,
    factor: str,
    *,
    kind: str,
    config: DecodingConfig,
    study: str,
) -> Iterator[tuple[str, Readout]]:
    """Yield each decoder asked for with what it read."""
    if kind == "continuous":
        yield "ridge", read_continuous(here, columns, factor, f"{study}/ridge/{factor}")
    elif factor == IDENTITY:
        for decoder in config.identity_classifiers:
            name = f"{study}/{decoder}/{factor}"
            yield decoder, read_identity(here, factor, decoder, config.folds, name)
    else:
        for decoder in config.classifiers:
            name = f"{study}/{decoder}/{factor}"
            yield decoder, read_classes(here, columns.iloc[:, 0], factor, decoder, name)


def _prediction(readout: Readout, kind: str) -> Prediction:
    values = readout.values.astype(np.float32)
    if kind == "continuous":
        return Prediction(readout.columns, values, np.empty(0, np.float32), np.empty(0, int))
    codes = readout.truth
    labelled = np.take_along_axis(values, np.maximum(codes, 0)[:, None], axis=1)[:, 0]
    predicted = np.isfinite(values).all(axis=1)
    chosen = np.where(predicted, np.where(predicted[:, None], values, 0).argmax(axis=1), -1)
    return Prediction(readout.columns, values, np.where(codes >= 0, labelled, np.nan), chosen)
