"""How far a score can be trusted: intervals over identities and a null by shuffled labels.

What is generalised over is the identity, not the image: 32 images of a face are not 32
independent observations. So a bootstrap draw takes identities with replacement, each
with all its images. Draws and shuffles come from a seed and the stimuli alone; layers and
training seeds that share them can be compared draw by draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

INTERVAL = (0.025, 0.975)
NULL = 0.95
KEYS = ["factor", "target", "decoder", "measure"]
COLUMNS = [
    *("factor", "target", "decoder", "penalty", "measure", "score"),
    *("low", "high", "null_high", "p", "n", "identities"),
]


@dataclass(frozen=True)
class Reading:
    """One score with its bootstrap draws and its null distribution.

    Attributes
    ----------
    penalty : float
        NaN where outputs with several penalties are averaged.
    draws : array, (B,)
    null : array, (P,)
    n, identities : int
        Images and identities scored.
    """

    factor: str
    target: str
    decoder: str
    penalty: float
    measure: str
    score: float
    draws: np.ndarray
    null: np.ndarray
    n: int
    identities: int


@dataclass(frozen=True)
class Resamples:
    """What is drawn and shuffled.

    Attributes
    ----------
    identities : array, (G,)
        Those that are scored, sorted.
    counts : array, (B, G)
        How often each draw has each identity.
    shuffles : int
    seed : int
    """

    identities: np.ndarray
    counts: np.ndarray
    shuffles: int
    seed: int


def resample(identity: np.ndarray, bootstraps: int, shuffles: int, seed: int) -> Resamples:
    """Draw as many identities as there are, with replacement.

    Parameters
    ----------
    identity : array, (n,)
        Identity of each scored image.
    """
    rng = np.random.default_rng(seed)
    identities = np.unique(identity)
    shares = np.full(len(identities), 1 / len(identities))
    counts = rng.multinomial(len(identities), shares, size=bootstraps).astype(float)
    return Resamples(identities, counts, shuffles, seed)


def orders(resamples: Resamples, blocks: int, factor: str) -> np.ndarray:
    """Return random orders of the blocks that a factor's labels are shuffled in, (P, blocks)."""
    rng = np.random.default_rng([resamples.seed, crc32(factor.encode())])
    return rng.permuted(np.tile(np.arange(blocks), (resamples.shuffles, 1)), axis=1)


def tabulate(readings: Sequence[Reading]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Judge every score; keep the draws to combine training seeds later.

    Returns
    -------
    scores : DataFrame
        The columns `COLUMNS`; a 95 % percentile interval (low, high), the 95 % quantile
        of the null and p = (1 + #null ≥ score) / (1 + shuffles).
    statistics : dict of array
        "draws" (rows, B) and "null" (rows, P), a row per row of the table.
    """
    rows = [
        {
            **{name: getattr(reading, name) for name in COLUMNS if hasattr(reading, name)},
            **_judge(reading.score, reading.draws, reading.null),
        }
        for reading in readings
    ]
    statistics = {
        name: np.array([getattr(reading, name) for reading in readings], dtype=np.float32)
        for name in ("draws", "null")
    }
    return pd.DataFrame(rows, columns=COLUMNS), statistics


def over_seeds(
    tables: Sequence[pd.DataFrame],
    statistics: Sequence[dict[str, np.ndarray]],
    *,
    seed: int,
) -> pd.DataFrame:
    """Combine the decodings of several training seeds into one score per row.

    The score is the mean over training seeds. Its interval comes from a hierarchical
    bootstrap: a draw takes training seeds with replacement, and the same identities in
    each of them. The null is the mean over training seeds under the same shuffle.

    Parameters
    ----------
    tables : sequence of DataFrame
        Scores of each training seed, same rows in the same order, from the same stimuli
        and the same decoding seed.
    statistics : sequence of dict
        Their draws and nulls.
    seed : int
        Chooses the training seeds of each draw.

    Returns
    -------
    scores : DataFrame
        The columns of the tables; the penalty is the geometric mean.
    """
    keys = tables[0][KEYS].reset_index(drop=True)
    for table in tables[1:]:
        if not table[KEYS].reset_index(drop=True).equals(keys):
            raise ValueError("tables of training seeds differ in factors, targets or decoders")
    draws = np.array([each["draws"] for each in statistics], dtype=np.float64)
    null = np.array([each["null"] for each in statistics], dtype=np.float64).mean(axis=0)
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(draws), size=(len(draws), draws.shape[2]))
    mixed = draws[picks, :, np.arange(draws.shape[2])].mean(axis=0).T
    score = np.mean([table["score"].to_numpy() for table in tables], axis=0)
    penalty = np.mean([np.log(table["penalty"].to_numpy()) for table in tables], axis=0)
    judged = pd.DataFrame([_judge(*row) for row in zip(score, mixed, null, strict=True)])
    sizes = tables[0][["n", "identities"]].reset_index(drop=True)
    joined = pd.concat([keys, judged, sizes], axis=1)
    return joined.assign(score=score, penalty=np.exp(penalty))[COLUMNS]


def _judge(score: float, draws: np.ndarray, null: np.ndarray) -> dict[str, float]:
    low, high = _quantiles(draws, INTERVAL)
    above = int((null >= score).sum())
    p = (1 + above) / (1 + len(null)) if np.isfinite(score) else float("nan")
    return {"low": low, "high": high, "null_high": _quantiles(null, (NULL,))[0], "p": p}


def _quantiles(values: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Return quantiles of the values that are defined; NaN if there are none."""
    values = values[np.isfinite(values)]
    if not len(values):
        return [float("nan")] * len(shares)
    return np.quantile(values, shares).tolist()
