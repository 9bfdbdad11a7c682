"""Conditions side by side: the same measurement upright and inverted, trained and untrained.

A panel for each network, a line for each condition, along anything that is a number: the epochs
of training, the angle by which a picture is turned.
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facelab_viz.labels import readable, titled
from facelab_viz.lines import draw_line, draw_seeds
from facelab_viz.panels import finish, flow, grid, legend_beside, stretch_early
from facelab_viz.tables import order_of, pooled, require, where
from facelab_viz.theme import DOUBLE_MM, INK, figure, styles


def contrast_along(
    table: pd.DataFrame,
    along: str,
    value: str = "mean",
    by: str = "view",
    ax: Axes | None = None,
    *,
    band: tuple[str, str] = ("low", "high"),
    order: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    reference: float | None = None,
    linear_to: float | None = None,
    seeds: bool = False,
    legend: bool = True,
) -> Axes:
    """Draw a line per condition along a number, with its interval.

    Parameters
    ----------
    table : DataFrame
        Columns `along`, `value`, `by` and those of `band`; perhaps ``seed``. One row per
        condition, place and seed.
    along, value, by : str
        The column on the x axis, on the y axis, and the one that splits the lines.
    ax : Axes, optional
        Where to draw; a new figure by default.
    order : sequence of str, optional
        The conditions in the order of the legend.
    labels : mapping, optional
        Words in print for conditions and columns.
    reference : float, optional
        Where to draw a thin line across: chance, or no difference.
    linear_to : float, optional
        Where the x axis turns logarithmic, so that early epochs stand apart.
    seeds : bool
        Whether to draw each seed as a thin line.

    Raises
    ------
    ValueError
        If a column is missing, the table empty, or a point has two rows.
    """
    require(table, [by], [along, value, *band])
    table = table.set_axis(table[along].to_numpy())
    points = pooled(table, [by, along], value, band)
    ax = ax or figure().add_subplot()
    if reference is not None:
        ax.axhline(reference, color=INK, linewidth=0.5, zorder=1)
    for name, look in styles(order_of(table, by, order), by).items():
        look["label"] = readable(name, labels)
        draw_line(ax, where(points, {by: name}), value, band, look)
        if seeds:
            draw_seeds(ax, table, {by: name}, value, look)
    if linear_to is not None:
        stretch_early(ax, linear_to)
    ax.set(xlabel=titled(along, labels), ylabel=readable(value, labels))
    if legend:
        legend_beside(ax)
    return ax


def contrasts_along(
    table: pd.DataFrame,
    along: str,
    value: str = "mean",
    by: str = "view",
    *,
    split: str = "network",
    panels: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    columns: int = 4,
    width_mm: float = DOUBLE_MM,
    panel_mm: float = 42.0,
    **contrast: object,
) -> Figure:
    """Draw `contrast_along` in a panel for each value of `split`, all on one scale.

    The caller saves.

    Parameters
    ----------
    table : DataFrame
        As in `contrast_along`, and a column `split`.
    panels : sequence of str, optional
        The panels, in order; by default those of the table.
    columns, width_mm, panel_mm : int, float, float
        Panels in a row, width of the figure, height of a row.
    **contrast
        As in `contrast_along`.

    Raises
    ------
    ValueError
        As `contrast_along`.
    """
    require(table, [split, by], [along, value])
    names = order_of(table, split, panels)
    rows = flow([[name] for name in names], min(columns, len(names)))
    contrast["order"] = order_of(table, by, contrast.get("order"))
    fig, cells = grid(rows, width_mm, panel_mm, share_x=True, share_y=True)
    for name, ax in cells.items():
        part = table[table[split] == name]
        contrast_along(part, along, value, by, ax, labels=labels, legend=False, **contrast)
        ax.set_title(readable(name, labels), loc="left")
    _finish(fig, cells, rows)
    fig.supxlabel(titled(along, labels))
    fig.supylabel(readable(value, labels))
    return fig


def _finish(fig: Figure, cells: Mapping[str, Axes], rows: Sequence[Sequence[str]]) -> None:
    ticks = next(iter(cells.values())).xaxis.get_major_locator()
    finish(fig, cells, rows)
    for ax in cells.values():
        ax.xaxis.set_major_locator(ticks)
