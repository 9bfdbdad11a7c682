"""Sizes of fields, layer by layer: means over units with intervals."""

import numpy as np
import pandas as pd
from facelab_probing.intervals import mean_over_identities

MEASURES = (
    "size_px",
    "raw_px",
    "area_px",
    "theoretical_px",
    "visible_px",
    "ratio",
    "ratio_visible",
)
ALL = "all"


def summarise(units: pd.DataFrame) -> pd.DataFrame:
    """Average over the units of each layer.

    Parameters
    ----------
    units : DataFrame
        A row per unit: state, seed, epoch, layer and `MEASURES`; NaN where a unit is silent.

    Returns
    -------
    table : DataFrame
        A row per epoch, layer, measure and seed, and one for all seeds: mean, low, high, the
        standard deviation over units, how many units were asked and how many have a field. The
        interval (95 %, Student's t) of one seed is over its units; that of all seeds is over the
        means of the seeds, each with its units, so it is for networks trained anew. With one seed,
        all is that seed.
    """
    parts = []
    for (epoch, layer), group in units.groupby(["epoch", "layer"], sort=False):
        about = {"state": group["state"].iloc[0], "epoch": epoch, "layer": layer}
        for measure in MEASURES:
            parts += [about | row for row in _rows(group, measure)]
    return pd.DataFrame(parts)


def _rows(group: pd.DataFrame, measure: str) -> list[dict[str, object]]:
    """Give a row per seed and one for all, for one layer at one epoch."""
    rows = []
    for seed, part in group.groupby("seed", sort=False):
        rows.append({"seed": str(seed), "measure": measure} | _mean(part[measure].to_numpy(float)))
    if len(rows) == 1:
        return [*rows, rows[0] | {"seed": ALL}]
    over = _mean(np.array([row["mean"] for row in rows]))
    shared = {
        "sd": float(np.mean([row["sd"] for row in rows])),
        "units": sum(row["units"] for row in rows),
        "measured": sum(row["measured"] for row in rows),
    }
    return [*rows, {"seed": ALL, "measure": measure} | over | shared]


def _mean(values: np.ndarray) -> dict[str, float]:
    """Give the mean of the values that are there, and its interval."""
    found = mean_over_identities(values[None, None])[["mean", "low", "high"]].iloc[0].to_dict()
    there = values[np.isfinite(values)]
    spread = float(there.std(ddof=1)) if len(there) > 1 else np.nan
    return {**found, "sd": spread, "units": len(values), "measured": len(there)}
