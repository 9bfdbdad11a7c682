"""How a decoder's penalty was found: every trial, and the best."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from facelab_viz.labels import in_order, titled
from facelab_viz.panels import finish, flow, grid
from facelab_viz.tables import check_unique, order_of, require
from facelab_viz.theme import BLUE, DOUBLE_MM, VERMILLION

# Early trials are pale and late ones dark: the search can be seen to settle.
SEARCH = LinearSegmentedColormap.from_list("search", ["#c6dbec", BLUE])


def penalty_history(
    table: pd.DataFrame,
    value: str = "score",
    by: str = "layer",
    *,
    penalty: str = "penalty",
    order: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    columns: int = 4,
    width_mm: float = DOUBLE_MM,
    panel_mm: float = 36.0,
    share_y: bool = False,
) -> Figure:
    """Draw the score of every trial over its penalty, a panel per layer or factor.

    The best trial of each panel is ringed and its penalty printed. The caller saves.

    Parameters
    ----------
    table : DataFrame
        Columns ``trial`` (int), `penalty` (above 0), `value` and `by`: one
        row per trial, one search per panel. Trials without a score are left out.
    value, by : str
        The column on the y axes, and the one that splits the panels.
    penalty : str
        The column on the x axes, which are logarithmic.
    order : sequence of str, optional
        The panels, in order; by default that of figures or of the table.
    labels : mapping, optional
        Words in print for panels and columns.
    columns, width_mm, panel_mm : int, float, float
        Panels in a row, width of the figure, height of a row.
    share_y : bool
        Whether all panels have one y axis.

    Raises
    ------
    ValueError
        If a column is missing, the table empty, a penalty not positive, a
        panel without a score, or two trials have one number.
    """
    require(table, [by, "trial"], [penalty, value])
    if (table[penalty] <= 0).any():
        raise ValueError(f"penalties must be above 0; the least is {table[penalty].min()}")
    check_unique(table, [by, "trial"])
    names = order_of(table, by, order or (in_order(table[by]) if by == "factor" else None))
    rows = flow([[name] for name in names], min(columns, len(names)))
    fig, panels = grid(rows, width_mm, panel_mm, share_x=True, share_y=share_y)
    for name, ax in panels.items():
        trials = table[table[by].astype(str) == name].dropna(subset=[value])
        if trials.empty:
            raise ValueError(f"{by} {name!r} has no trial with a {value}")
        _search(ax, trials.sort_values("trial"), penalty, value)
        ax.set_title(titled(name, labels), loc="left")
    finish(fig, panels, rows)
    fig.supxlabel(titled(penalty, labels))
    fig.supylabel(titled(value, labels))
    return fig


def _search(ax: Axes, trials: pd.DataFrame, penalty: str, value: str) -> None:
    """Draw one search, in order of trials, and ring its best."""
    early, late = SEARCH([0.0, 1.0])
    ax.scatter(trials[penalty], trials[value], c=trials["trial"], cmap=SEARCH, s=9, linewidths=0)
    ax.plot([], [], "o", color=early, label="first trial")
    ax.plot([], [], "o", color=late, label="last trial")
    best = trials.iloc[trials[value].argmax()]
    ring = {"markerfacecolor": "none", "markeredgecolor": VERMILLION, "markeredgewidth": 1.0}
    ax.axvline(best[penalty], color=VERMILLION, linewidth=0.6, linestyle=(0, (2, 2)), zorder=0)
    ax.plot(best[penalty], best[value], "o", markersize=6, label="best", **ring)
    ax.set_xscale("log")
    ax.set_title(_number(best[penalty]), loc="right", color=VERMILLION)


def _number(value: float) -> str:
    """Say a number in two digits, with a power of ten only where zeros would be counted.

    >>> _number(850.0), _number(0.0132)
    ('850', '0.013')
    """
    if 1e-3 <= value < 1e4:
        return f"{float(f'{value:.2g}'):g}"
    digits, power = f"{value:.1e}".split("e")
    return rf"${digits}\times10^{{{int(power)}}}$"
