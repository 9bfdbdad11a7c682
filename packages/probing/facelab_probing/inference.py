"""How far a score can be trusted: an interval over identities and a null by shuffled labels.

The interval is for the score that the same decoder would have on the population of
identities; over several training seeds, for the mean over the population of both
(`jackknife`, `intervals`). Shuffles come from a seed and the stimuli alone; layers and
training seeds share them.

Labels of identities are shuffled over identities. Labels of images are shuffled within
each identity: who has which labels then stays as it is, whether labels were counterbalanced
or some people smile more than others, and a decoder that knows who it is but not the label
is no evidence (Winkler et al. 2015 on exchangeability blocks).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

from facelab_probing.intervals import mean_over_identities

NULL = 0.95
KEYS = ["factor", "target", "decoder", "measure"]
JUDGED = ["low", "high", "null_high", "p"]
COLUMNS = [
    *("factor", "target", "decoder", "penalty", "measure", "score"),
    *(*JUDGED, "n", "identities"),
]


@dataclass(frozen=True)
class Reading:
    """One score with what each identity adds to it and its null distribution.

    Attributes
    ----------
    penalty : float
        NaN where outputs with several penalties are averaged.
    values : array, (G,)
        Pseudo-values; NaN for an identity that is not scored.
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
    values: np.ndarray
    null: np.ndarray
    n: int
    identities: int


@dataclass(frozen=True)
class Resamples:
    """Which identities are scored, and how their labels are shuffled.

    Attributes
    ----------
    identities : array, (G,)
        Those that are scored, sorted.
    shuffles : int
    seed : int
    """

    identities: np.ndarray
    shuffles: int
    seed: int


def resample(identity: np.ndarray, shuffles: int, seed: int) -> Resamples:
    """Say whose labels will be shuffled.

    Parameters
    ----------
    identity : array, (n,)
        Identity of each scored image.
    """
    return Resamples(np.unique(identity), shuffles, seed)


def blocks_and_orders(
    resamples: Resamples, members: np.ndarray, within_identity: bool, factor: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is shuffled as one, and into which orders.

    Parameters
    ----------
    members : int array, (n,)
        Identity of each image.
    within_identity : bool
        Whether the labels are of images, else of identities.
    factor : str
        Factors are shuffled independently of one another.

    Returns
    -------
    blocks : int array, (n,)
        The block of each image: itself, or its identity.
    orders : int array, (P, blocks)
    """
    if within_identity:
        return np.arange(len(members)), orders(resamples, members, factor)
    blocks = np.unique(members, return_inverse=True)[1]
    return blocks, orders(resamples, np.zeros(blocks.max() + 1, int), factor)


def orders(resamples: Resamples, strata: np.ndarray, factor: str) -> np.ndarray:
    """Return random orders in which each block takes the label of another of its stratum.

    Blocks that are alone in their stratum are shuffled among themselves.

    Parameters
    ----------
    strata : int array, (blocks,)

    Returns
    -------
    orders : int array, (P, blocks)
    """
    rng = np.random.default_rng([resamples.seed, crc32(factor.encode())])
    strata = np.where(np.bincount(strata)[strata] > 1, strata, strata.max() + 1)
    keys = strata + rng.random((resamples.shuffles, len(strata)))
    mixed = np.empty(keys.shape, int)
    mixed[:, np.argsort(strata, kind="stable")] = np.argsort(keys, axis=1)
    return mixed


def tabulate(readings: Sequence[Reading]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Judge every score; keep what identities add, to combine or compare networks later.

    Returns
    -------
    scores : DataFrame
        The columns `COLUMNS`; a 95 % interval (low, high), the 95 % quantile of the null
        and p = (1 + #null ≥ score) / (1 + shuffles). The interval is centred on the score
        less its bias: R² of G identities is (1 - R²) / G too low for what is constant
        within one, and where many outputs are averaged that can exceed the half width.
    statistics : dict of array
        "values" (rows, G) and "null" (rows, P), a row per row of the table.
    """
    names = [name for name in COLUMNS if name not in JUDGED]
    rows = [{name: getattr(reading, name) for name in names} for reading in readings]
    statistics = {
        name: np.array([getattr(reading, name) for reading in readings])
        for name in ("values", "null")
    }
    table = pd.DataFrame(rows, columns=names)
    judged = _judge(table["score"].to_numpy(), statistics["values"][None], statistics["null"])
    return table.assign(**judged)[COLUMNS], statistics


def over_seeds(
    tables: Sequence[pd.DataFrame],
    statistics: Sequence[dict[str, np.ndarray]],
) -> pd.DataFrame:
    """Combine the decodings of several training seeds into one score per row.

    The score is the mean over training seeds; its interval is for another seed and other
    identities (`intervals`). The null is the mean over training seeds under the same shuffle.

    Parameters
    ----------
    tables : sequence of DataFrame
        Scores of each training seed, same rows in the same order, from the same stimuli
        and the same decoding seed.
    statistics : sequence of dict
        Their values and nulls.

    Returns
    -------
    scores : DataFrame
        The columns of the tables; the penalty is the geometric mean.
    """
    keys = tables[0][KEYS].reset_index(drop=True)
    for table in tables[1:]:
        if not table[KEYS].reset_index(drop=True).equals(keys):
            raise ValueError("tables of training seeds differ in factors, targets or decoders")
    values = np.array([each["values"] for each in statistics])
    null = np.mean([each["null"] for each in statistics], axis=0)
    score = np.mean([table["score"].to_numpy() for table in tables], axis=0)
    penalty = np.mean([np.log(table["penalty"].to_numpy()) for table in tables], axis=0)
    table = tables[0].reset_index(drop=True)
    judged = _judge(score, values, null)
    return table.assign(score=score, penalty=np.exp(penalty), **judged)[COLUMNS]


def _judge(score: np.ndarray, values: np.ndarray, null: np.ndarray) -> dict[str, np.ndarray]:
    """Judge each row: scores (R,), values (S, R, G), null (R, P)."""
    low, high = _bound(score, mean_over_identities(values))
    above = (null >= score[:, None]).sum(axis=1)
    p = np.where(np.isfinite(score), (1 + above) / (1 + null.shape[1]), np.nan)
    highest = np.quantile(null, NULL, axis=1)
    return {
        "low": low,
        "high": high,
        "null_high": highest,
        "p": p,
    }


def _bound(score: np.ndarray, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Take intervals to the scale log(1 - score), where they cannot exceed 1 (delta method).

    Near 1, what is missing comes from few identities and its sampling distribution is
    skewed: symmetric intervals of an AUC of .95 cover 84 %.
    """
    missing = np.where(score < 1, 1 - score, np.nan)
    with np.errstate(over="ignore"):  # −∞ is a bound, too
        bounds = [
            1 - missing * np.exp((score - table[edge].to_numpy()) / missing)
            for edge in ("low", "high")
        ]
    low, high = (np.where(score >= 1, 1.0, bound) for bound in bounds)
    return low, high
