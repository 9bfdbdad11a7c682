"""From what a decoder read to a table: score, interval over identities, null and p.

One row per output and measure. A factor with several outputs gets two more: their mean,
and the output that was best on the validation identities.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from facelab_probing.inference import interval, null, null_quantile, p_value, resample
from facelab_probing.readout import Readout
from facelab_probing.scores import MEASURES


@dataclass(frozen=True, kw_only=True)
class InferenceConfig:
    """How decoders are scored, and how sure the scores are.

    Attributes
    ----------
    measures : tuple of str
        Keys of `scores.MEASURES`; each is computed for the kind of factor it is for.
    resamples, permutations : int
        Draws of the bootstrap over identities, and of the null.
    confidence : float
        Coverage of the intervals, and quantile of the null.
    """

    measures: tuple[str, ...]
    resamples: int
    permutations: int
    confidence: float


@dataclass(frozen=True)
class _Draws:
    """Scores of the outputs (T,), of bootstrap samples and of the null (D, T)."""

    scores: np.ndarray
    samples: np.ndarray
    nulls: np.ndarray


def assess(
    readout: Readout,
    groups: np.ndarray,
    *,
    factor: str,
    kind: str,
    level: str,
    config: InferenceConfig,
    seed: int,
) -> pd.DataFrame:
    """Score a readout on the testing identities by every measure of its kind.

    Parameters
    ----------
    groups : array, (N,)
        Identity of each image.
    kind, level : str
        "continuous" or "categorical"; "identity" if an identity keeps its label, or "image".
    seed : int
        The draws depend on it and on the factor only: the same for every layer.

    Returns
    -------
    table : DataFrame
        Columns target, output, penalty, score, low, high, null_high, p, measure, factor,
        across, n_fit, n, identities.
    """
    rows = readout.scored
    seen = readout.truth[rows], readout.values[rows], groups[rows]
    draw = zlib.crc32(f"{seed}/{factor}".encode())
    tables = []
    for measure in (name for name in config.measures if MEASURES[name].kind == kind):
        draws = _Draws(
            np.atleast_1d(MEASURES[measure].score(*seen[:2])),
            resample(measure, *seen, draws=config.resamples, seed=draw),
            null(measure, *seen, level, draws=config.permutations, seed=draw),
        )
        table = _table(draws, readout, kind, factor, config.confidence)
        tables.append(table.assign(measure=measure))
    return pd.concat(tables, ignore_index=True).assign(
        factor=factor,
        across=readout.across,
        n_fit=readout.fitted,
        n=int(rows.sum()),
        identities=len(np.unique(seen[2])),
    )


def _table(
    draws: _Draws, readout: Readout, kind: str, factor: str, confidence: float
) -> pd.DataFrame:
    """Describe each output; several also by their mean and by the best on validation."""
    outputs = list(readout.columns) if kind == "continuous" else [factor]
    penalties = list(readout.tuned.penalties)
    targets = list(outputs)
    if len(outputs) > 1:
        best = int(np.nan_to_num(readout.tuned.scores, nan=-np.inf).argmax())
        draws = _Draws(
            *(
                np.concatenate([part, _mean(part), part[..., [best]]], axis=-1)
                for part in (draws.scores, draws.samples, draws.nulls)
            )
        )
        targets += ["mean", "best"]
        penalties += [np.nan, penalties[best]]
        outputs += ["", outputs[best]]
    low, high = interval(draws.samples, confidence)
    return pd.DataFrame(
        {
            "target": targets,
            "output": outputs,
            "penalty": penalties,
            "score": draws.scores,
            "low": low,
            "high": high,
            "null_high": null_quantile(draws.nulls, confidence),
            "p": p_value(draws.scores, draws.nulls),
        }
    )


def _mean(values: np.ndarray) -> np.ndarray:
    """Average the defined values over the last axis, which stays."""
    defined = np.isfinite(values)
    summed = np.where(defined, values, 0).sum(axis=-1, keepdims=True)
    counts = defined.sum(axis=-1, keepdims=True)
    return summed / np.where(counts > 0, counts, np.nan)
