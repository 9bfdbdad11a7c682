"""Intervals of means over identities and training seeds, of their differences, and onsets.

What is generalised over is the identity, not the image: 32 images of a face are not 32
independent observations. So all that enters is a value per identity: pseudo-values of a
score (`jackknife`), or any statistic that an identity has by itself, such as its accuracy
upright less that inverted. A mean of them has Student's t interval.

Several training seeds are scored on the same identities, so seeds and identities are
crossed, and the interval is for a new seed and new identities. The variance of the mean,

    V = s²(means of seeds) / S + s²(means of identities) / G,

holds what seeds and identities share twice, which errs to the wide side; V has the degrees
of freedom of Satterthwaite (1946). With three seeds that differ much more than identities
do, they are near 2 and the interval covers 92 % instead of 95 %; with two seeds, 87 %.

A mean near the end of its range is skewed, and a symmetric interval crosses the end: of 24
identities with an accuracy of .95 it covers .90, of 144 with .99 .86. Where the range is given,
the interval is made on the scale log((x - low) / (high - x)) (delta method), where nothing can
cross: it covers .95 to .98 there, of identities with several images each. That is the logit of an
accuracy, and twice Fisher's z of a correlation. In the middle of the range both intervals are the
same.

Axes: S training seeds, R rows (scores, layers, checkpoints), G identities.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import false_discovery_control
from scipy.stats import t as student

COVERAGE = 0.95
ROUNDING = 1e-9  # by which a value may miss its range


def mean_over_identities(
    values: np.ndarray, *, within: tuple[float, float] | None = None
) -> pd.DataFrame:
    """Average over seeds and identities, with a 95 % interval for the population of both.

    Parameters
    ----------
    values : array, (S, R, G)
        NaN for an identity that a row does not have, in all seeds alike.
    within : tuple of float, optional
        The range of the values, which the interval then keeps to: (0, 1) for an accuracy,
        (-1, 1) for a correlation. Where all values are the same, the interval is that point.

    Returns
    -------
    table : DataFrame, R rows
        mean, low, high, and p of the mean being 0 (two-sided). With one seed, the
        interval is for that seed. Where fewer than two identities are left, NaN.

    Raises
    ------
    ValueError
        If a value lies outside the range.
    """
    table = _judge(values, [values])
    if within is None:
        return table
    outside = values[(values < within[0] - ROUNDING) | (values > within[1] + ROUNDING)]
    if len(outside):
        raise ValueError(f"a value of {outside[0]:.6g} lies outside {within[0]:g} … {within[1]:g}")
    return keep_within(table, *within)


def keep_within(table: pd.DataFrame, lowest: float, highest: float) -> pd.DataFrame:
    """Carry symmetric intervals over to the scale on which a range has no ends, and back.

    For means of pseudo-values, which lie in the range while pseudo-values need not.

    Parameters
    ----------
    table : DataFrame
        As from `mean_over_identities`.
    lowest, highest : float
        The range. A mean at its end, of values that differ, has the whole range as interval.
    """
    whole = highest - lowest
    half = (table["high"] - table["mean"]).to_numpy() / whole
    share = np.clip((table["mean"].to_numpy() - lowest) / whole, 0, 1)
    differ = half > ROUNDING
    share = np.where(differ, np.clip(share, ROUNDING, 1 - ROUNDING), share)
    step = half / np.where(differ, share * (1 - share), 1)
    edges = {"low": logit(share) - step, "high": logit(share) + step}
    return table.assign(**{name: lowest + whole * expit(edge) for name, edge in edges.items()})


def paired_differences(
    first: np.ndarray, second: np.ndarray, *, seeds_are_paired: bool
) -> pd.DataFrame:
    """Subtract two conditions that were measured on the same identities.

    What makes an identity easy in both conditions cancels, so the interval is narrower
    than two separate ones suggest. Two networks, layers, checkpoints or orientations.

    Parameters
    ----------
    first, second : array, (S, R, G)
        Identities in the same order. S may differ if seeds are not paired.
    seeds_are_paired : bool
        Whether seed s of both is one network (two checkpoints, layers or orientations
        of it), else networks that were trained apart.

    Returns
    -------
    table : DataFrame, R rows
        mean (first less second), low, high, p, as of `mean_over_identities`.

    Raises
    ------
    ValueError
        If the arrays differ in rows or identities, or paired ones in seeds.
    """
    same = slice(None) if seeds_are_paired else slice(1, None)
    if first.shape[same] != second.shape[same]:
        raise ValueError(f"pairs have other shapes: {first.shape} and {second.shape}")
    if seeds_are_paired:
        return mean_over_identities(first - second)
    by_identity = (first.mean(axis=0) - second.mean(axis=0))[None]
    return _judge(by_identity, [first, second])


def onset(table: pd.DataFrame) -> int | None:
    """Return the first row from which on every interval excludes 0, always on one side.

    The last row decides whether there is an onset at all; so where nothing ever differs,
    one is found in at most 5 % of the cases, however many checkpoints are looked at.

    Parameters
    ----------
    table : DataFrame
        Rows in the order of training, with the columns low and high.
    """
    side = np.where(table["low"] > 0, 1, 0) - np.where(table["high"] < 0, 1, 0)
    if not len(side) or side[-1] == 0:
        return None
    return int(np.flatnonzero(np.append(0, side) != side[-1])[-1])


def adjust(p: Sequence[float]) -> np.ndarray:
    """Adjust p for the number of tests (Benjamini & Hochberg 1995); NaN stay and do not count.

    Among the tests called at an adjusted p ≤ .05, at most 5 % are expected to be false.
    This holds when tests are independent or positively dependent (Benjamini & Yekutieli
    2001), as those of one factor in neighbouring layers are.
    """
    adjusted = np.array(p, dtype=np.float64)
    known = np.isfinite(adjusted)
    if known.any():
        adjusted[known] = false_discovery_control(adjusted[known])
    return adjusted


def _judge(values: np.ndarray, networks: Sequence[np.ndarray]) -> pd.DataFrame:
    """Judge the mean of values; the spread of seeds comes from each group of networks."""
    terms = [_squared_error(values.mean(axis=0))]
    terms += [_squared_error(_mean(group).T) if len(group) > 1 else (0, 1) for group in networks]
    variance = sum(term for term, _ in terms)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = variance**2 / sum(term**2 / free for term, free in terms)
        error, mean = np.sqrt(variance), _mean(values).mean(axis=0)
        freedom = np.where(variance > 0, freedom, 1)
        p = 2 * student.sf(np.abs(mean) / error, freedom)
    p = np.where((mean == 0) & (error == 0), 1, p)
    half = student.ppf((1 + COVERAGE) / 2, freedom) * error
    return pd.DataFrame({"mean": mean, "low": mean - half, "high": mean + half, "p": p})


def _squared_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared standard error of each row's mean, and its degrees of freedom."""
    sizes = np.isfinite(values).sum(axis=1)
    several = np.where(sizes > 1, sizes, np.nan)
    around = np.nan_to_num(values - _mean(values)[:, None])
    return (around**2).sum(axis=1) / (several * (several - 1)), several - 1


def _mean(values: np.ndarray) -> np.ndarray:
    """Average over identities, the last axis, that are there."""
    seen = np.isfinite(values)
    sizes = seen.sum(axis=-1)
    return np.where(seen, values, 0).sum(axis=-1) / np.where(sizes, sizes, np.nan)
