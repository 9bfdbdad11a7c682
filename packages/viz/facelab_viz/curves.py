"""Curves over the depth of a network, and over its training."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from facelab_viz.labels import group_of, in_order, readable, titled
from facelab_viz.lines import draw_dots, draw_line, draw_null, draw_seeds
from facelab_viz.panels import finish, flow, grid, layer_axis, legend_beside, stretch_early
from facelab_viz.tables import order_of, pooled, require, where
from facelab_viz.theme import DASHES, DOUBLE_MM, INK, figure, styles


def curve_over_layers(
    table: pd.DataFrame,
    value: str,
    by: str,
    ax: Axes | None = None,
    *,
    low: str | None = "low",
    high: str | None = "high",
    null: str | None = None,
    order: Sequence[str] | None = None,
    layers: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    seeds: bool = False,
    legend: bool = True,
) -> Axes:
    """Draw one line per group, from the first layer to the last, with its interval.

    A group is drawn from its rows of seed ``all``; if it has none, the line is
    the mean of its seeds and the band spans them.

    Parameters
    ----------
    table : DataFrame
        Columns ``layer`` (in order of depth), `value`, `by` and those named
        below; perhaps ``seed``. One row per group, layer and seed.
    value, by : str
        The column on the y axis, where chance is 0, and the one that splits the lines.
    ax : Axes, optional
        Where to draw; a new figure by default.
    low, high : str or None
        The bounds of the band; None draws no band.
    null : str, optional
        The upper bound of the null; the highest of all groups is drawn, in grey.
    order, layers : sequence of str, optional
        The groups in the order of the legend, and the layers in order of depth.
    labels : mapping, optional
        Words in print for layers, groups and columns.
    seeds : bool
        Whether to draw each seed as a thin line.

    Raises
    ------
    ValueError
        If a column is missing, the table empty, or a point has two rows.
    """
    band = (low, high)
    require(table, ["layer", by], [name for name in (value, *band, null) if name])
    groups = order_of(table, by, order or (in_order(table[by]) if by == "factor" else None))
    depth = order_of(table, "layer", layers)
    ax = ax or figure().add_subplot()
    layer_axis(ax, depth, labels)
    ax.axhline(0, color=INK, linewidth=0.5, zorder=1)
    table = table.set_axis(table["layer"].astype(str).map(depth.index).to_numpy())
    points = pooled(table, [by, "layer"], value, band)
    for group, look in styles(groups, by).items():
        look["label"] = readable(group, labels)
        draw_line(ax, where(points, {by: group}), value, band, look)
        if seeds:
            draw_seeds(ax, table, {by: group}, value, look)
    if null:
        draw_null(ax, table, null, readable(null, labels))
    ax.set(xlabel="layer", ylabel=readable(value, labels))
    if legend:
        legend_beside(ax)
    return ax


def factors_over_layers(
    table: pd.DataFrame,
    value: str = "score",
    by: str = "network",
    *,
    factors: Sequence[str] | None = None,
    order: Sequence[str] | None = None,
    layers: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    columns: int = 6,
    width_mm: float = DOUBLE_MM,
    panel_mm: float = 32.0,
    share_y: bool = True,
    **curve: object,
) -> Figure:
    """Draw a panel per factor, in each a line per network from the first layer to the last.

    Panels come in the order of `facelab_viz.labels.GROUPS`; factors of a
    group stand in one row where they fit. The caller saves.

    Parameters
    ----------
    table : DataFrame
        As in `curve_over_layers`, and a column ``factor``.
    value, by : str
        The column on the y axes, where chance is 0, and the one that splits the lines.
    factors, order, layers : sequence of str, optional
        The panels, the lines and the layers, in order; by default those of the table.
    labels : mapping, optional
        Words in print for factors, layers, groups and columns.
    columns, width_mm, panel_mm : int, float, float
        Panels in a row, width of the figure, height of a row.
    share_y : bool
        Whether all panels have one y axis; scores from 0 to 1 compare that way.
    **curve
        `low`, `high`, `null` and `seeds`, as in `curve_over_layers`.

    Raises
    ------
    ValueError
        If a column is missing, the table empty, or a point has two rows.
    """
    require(table, ["layer", "factor", by], [value])
    found = order_of(table, "factor", factors or in_order(table["factor"]))
    groups = [list(group) for _, group in groupby(found, key=group_of)]
    rows = flow(groups, min(columns, len(found)))
    curve |= {"order": order_of(table, by, order), "layers": order_of(table, "layer", layers)}
    fig, panels = grid(rows, width_mm, panel_mm, share_y=share_y)
    for factor, ax in panels.items():
        part = table[table["factor"] == factor]
        if not part.empty:
            curve_over_layers(part, value, by, ax, labels=labels, legend=False, **curve)
        ax.set_title(titled(factor, labels), loc="left")
    finish(fig, panels, rows)
    fig.supxlabel("layer")
    fig.supylabel(readable(value, labels))
    return fig


def learning_curves(
    table: pd.DataFrame,
    value: str = "loss",
    by: str = "network",
    ax: Axes | None = None,
    *,
    low: str | None = None,
    high: str | None = None,
    part: str | None = None,
    checkpoint: str | None = None,
    order: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    seeds: bool = False,
    linear_to: float | None = None,
) -> Axes:
    """Draw a loss or a score over the epochs of training, and where checkpoints were kept.

    Parameters
    ----------
    table : DataFrame
        Columns ``epoch`` (may be a fraction), `value`, `by` and those named
        below; perhaps ``seed``. One row per group, part, epoch and seed.
    value, by : str
        The column on the y axis, and the one that splits the lines.
    ax : Axes, optional
        Where to draw; a new figure by default.
    low, high : str, optional
        The bounds of the band; without them it spans the seeds, if there are several.
    part : str, optional
        A column such as ``split``: its first value is drawn in full, the next dashed.
    checkpoint : str, optional
        A column of booleans, true where a checkpoint was kept: a dot on the line.
    order : sequence of str, optional
        The groups in the order of the legend.
    labels : mapping, optional
        Words in print for groups, parts and columns.
    seeds : bool
        Whether to draw each seed as a thin line.
    linear_to : float, optional
        The epoch beyond which the axis is logarithmic, so that early
        checkpoints stand apart; linear throughout by default.

    Raises
    ------
    ValueError
        If a column is missing, the table empty, or a point has two rows.
    """
    keys, marks = [by, "epoch", *([part] if part else [])], [checkpoint] if checkpoint else []
    given = [name for name in (low, high) if name]
    require(table, [*keys, *marks], ["epoch", value, *given])
    band = (low or "low", high or "high")
    table = table.assign(**{name: np.nan for name in band if name not in given})
    table = table.set_axis(table["epoch"].to_numpy())
    points = pooled(table, keys, value, band)
    parts = order_of(table, part) if part else []
    ax = ax or figure().add_subplot()
    for group, look in styles(order_of(table, by, order), by).items():
        for i, choice in enumerate([{part: name} for name in parts] or [{}]):
            label = "_part" if i else readable(group, labels)
            drawn = look | {"linestyle": DASHES[i % len(DASHES)], "marker": "", "label": label}
            draw_line(ax, where(points, {by: group} | choice), value, band, drawn)
            if seeds:
                draw_seeds(ax, table, {by: group} | choice, value, drawn)
        for mark in marks:
            draw_dots(ax, where(points, {by: group, mark: "True"}), value, look)
    for i, name in enumerate(parts):
        dash = DASHES[i % len(DASHES)]
        ax.plot([], [], color=INK, linestyle=dash, label=readable(name, labels))
    for mark in marks:
        ax.plot([], [], "o", color=INK, label=readable(mark, labels))
    if linear_to is not None:
        stretch_early(ax, linear_to)
    ax.set(xlabel="epoch", ylabel=readable(value, labels))
    legend_beside(ax)
    return ax
