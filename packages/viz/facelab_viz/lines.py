"""One line of a curve: its interval, its seeds, its null.

Rows come under the index they are drawn along: the place of a layer, or an epoch.
"""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from facelab_viz.tables import single_seeds, where
from facelab_viz.theme import NULL

BAND_ALPHA = 0.2
SEED_ALPHA = 0.55


def draw_line(
    ax: Axes,
    rows: pd.DataFrame,
    value: str,
    band: tuple[str | None, str | None],
    look: Mapping[str, object],
) -> None:
    """Draw one group: a line, and behind it its interval if it has one."""
    if rows.empty:
        return
    ax.plot(rows.index, rows[value], **look, zorder=3)
    low, high = band
    if low and high:
        bounds = rows[[low, high]].astype(float)
        shade = {"color": look["color"], "alpha": BAND_ALPHA, "linewidth": 0, "zorder": 2}
        ax.fill_between(rows.index, bounds[low], bounds[high], **shade)


def draw_seeds(
    ax: Axes, table: pd.DataFrame, choice: Mapping[str, str], value: str, look: Mapping[str, object]
) -> None:
    """Draw each seed of one group as a thin line, without a place in the legend."""
    singles = where(single_seeds(table), choice)
    if singles.empty:
        return
    thin = {"linewidth": 0.5, "marker": "", "alpha": SEED_ALPHA, "label": "_seed", "zorder": 2.5}
    for _, rows in singles.groupby("seed", sort=False):
        ax.plot(rows.index, rows[value], **{**look, **thin})


def draw_null(ax: Axes, table: pd.DataFrame, null: str, label: str) -> None:
    """Shade what cannot be told from chance: from 0 to the highest null bound at each place."""
    bound = table[null].groupby(level=0).max()
    ax.fill_between(bound.index, 0, bound, color=NULL, linewidth=0, label=label, zorder=0.5)


def draw_dots(ax: Axes, rows: pd.DataFrame, value: str, look: Mapping[str, object]) -> None:
    """Mark rows with the dots of their group and no line between."""
    ax.plot(rows.index, rows[value], **{**look, "linestyle": "", "label": "_dots"}, zorder=4)
