"""Matrices with their numbers in them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from facelab_viz.labels import group_of, in_order, readable
from facelab_viz.panels import grid, heighten, layer_axis, upright_mm
from facelab_viz.tables import check_unique, order_of, pooled, require
from facelab_viz.theme import DOUBLE_MM, SINGLE_MM, figure

SEQUENTIAL, DIVERGING = "Blues", "RdBu_r"
BRIGHT = 0.46  # above this luminance dark print has the greater contrast
ROW_MM = 4.6
LARGEST_MM = 70.0  # side of a confusion matrix
BAR_MM = 25.0  # the colours' scale beside it
NAMED = 20  # more classes than that have no room for their names


def layer_by_factor(
    table: pd.DataFrame,
    value: str = "score",
    ax: Axes | None = None,
    *,
    factors: Sequence[str] | None = None,
    layers: Sequence[str] | None = None,
    limits: tuple[float, float] = (0.0, 1.0),
    digits: int = 2,
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw layers, from left to right, by factors, from top to bottom, each value in print.

    A white rule parts the groups of factors. Values beyond the limits keep
    the colour of the limit; their number is right.

    Parameters
    ----------
    table : DataFrame
        Columns ``layer``, ``factor``, `value` and perhaps ``seed``: the
        measurements of one network. A cell without a row stays empty.
    value : str
        The column in the cells.
    ax : Axes, optional
        Where to draw; a new figure by default, as high as it has factors.
    factors, layers : sequence of str, optional
        Rows and columns, in order; by default in the order of figures and of the table.
    limits : tuple of float
        The values of the lightest and the darkest colour; if the first is
        negative, colours diverge from their middle.
    digits : int
        Digits in print after the point.
    labels : mapping, optional
        Words in print for factors and layers.

    Raises
    ------
    ValueError
        If a column is missing, the table empty, or a cell has two rows.
    """
    require(table, ["layer", "factor"], [value])
    rows = order_of(table, "factor", factors or in_order(table["factor"]))
    columns = order_of(table, "layer", layers)
    points = pooled(table, ["factor", "layer"], value, (None, None))
    points = points.astype({"factor": str, "layer": str})
    cells = points.pivot(index="factor", columns="layer", values=value)
    cells = cells.reindex(index=rows, columns=columns).to_numpy(float)
    own = ax is None
    ax = figure(SINGLE_MM, ROW_MM * len(rows) + 12).add_subplot() if own else ax
    colours = mpl.colormaps[DIVERGING if limits[0] < 0 else SEQUENTIAL]
    image = ax.imshow(cells, cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto")
    layer_axis(ax, columns, labels)
    heighten(ax.figure, upright_mm(ax) if own else 0)
    _print_values(ax, cells, image.to_rgba(cells), digits)
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_yticks(range(len(rows)), [readable(factor, labels) for factor in rows])
    ax.set(xlabel="layer")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    _rule_between_groups(ax, rows)
    return ax


def confusions(
    table: pd.DataFrame,
    rows: str = "view",
    columns: str = "network",
    *,
    labels: Mapping[str, str] | None = None,
    width_mm: float = DOUBLE_MM,
) -> Figure:
    """Draw who is taken for whom: true classes from top to bottom, names from left to right.

    The diagonal is what was right. Names that mistakes favour stand first, in one order for all
    panels of a column, so favourites are stripes at the left. Colour grows with the square root
    of the share, that rare confusions be seen. The caller saves.

    Parameters
    ----------
    table : DataFrame
        Columns ``class``, ``named``, ``share``, `rows` and `columns`; what is not listed did not
        happen.
    rows, columns : str
        The columns that split the panels.
    labels : mapping, optional
        Words in print for panels and classes.
    width_mm : float
        The greatest width of the figure.

    Raises
    ------
    ValueError
        If a column is missing, the table empty, or a cell has two rows.
    """
    require(table, ["class", "named", rows, columns], ["share"])
    table = table.astype({name: str for name in ("class", "named", rows, columns)})
    check_unique(table, ["class", "named", rows, columns])
    down, across = order_of(table, rows), order_of(table, columns)
    names = [[f"{row}\n{column}" for column in across] for row in down]
    side = min(0.9 * width_mm / len(across), LARGEST_MM)
    fig, panels = grid(names, min(width_mm, len(across) * side + BAR_MM), side)
    for name, ax in panels.items():
        row, column = name.split("\n")
        whole = table[table[columns] == column]
        order = _favourites_first(whole)
        _draw_confusion(ax, whole[whole[rows] == row], order, labels)
        if row == down[0]:
            ax.set_title(readable(column, labels), loc="left")
        if column == across[0]:
            ax.set_ylabel(f"{readable(row, labels)}: true class")
    fig.supxlabel("named")
    image = next(iter(panels.values())).images[0]
    bar = fig.colorbar(image, ax=list(panels.values()), shrink=0.5, ticks=[0, 0.1, 0.5, 1])
    bar.set_label("share of answers")
    return fig


def _favourites_first(table: pd.DataFrame) -> list[str]:
    """Order classes by how large a share of the mistakes names them."""
    classes = dict.fromkeys([*table["class"], *table["named"]])
    wrong = table[table["class"] != table["named"]].groupby("named")["share"].sum()
    return sorted(classes, key=lambda name: -wrong.get(name, 0.0))


def _draw_confusion(
    ax: Axes, table: pd.DataFrame, order: Sequence[str], labels: Mapping[str, str] | None
) -> None:
    cells = table.pivot(index="class", columns="named", values="share")
    cells = cells.reindex(index=order, columns=order).fillna(0.0).to_numpy(float)
    ax.imshow(cells, cmap=SEQUENTIAL, norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    words = [readable(name, labels) for name in order] if len(order) <= NAMED else []
    ax.set_xticks(range(len(words)), words, rotation=90)
    ax.set_yticks(range(len(words)), words)
    ax.tick_params(length=0)


def _print_values(ax: Axes, cells: np.ndarray, colours: np.ndarray, digits: int) -> None:
    """Print each cell's number, dark on light and light on dark; (F, L) and (F, L, 4)."""
    size = ax.xaxis.get_ticklabels()[0].get_fontsize()
    for (i, j), number in np.ndenumerate(cells):
        if np.isnan(number):
            continue
        words = f"{number:z.{digits}f}".replace("-", "−")
        luminance = colours[i, j, :3] @ (0.2126, 0.7152, 0.0722)
        ink = "black" if luminance > BRIGHT else "white"
        ax.text(j, i, words, ha="center", va="center_baseline", color=ink, fontsize=size)


def _rule_between_groups(ax: Axes, factors: Sequence[str]) -> None:
    for i, (above, below) in enumerate(pairwise(factors)):
        if group_of(above) != group_of(below):
            ax.axhline(i + 0.5, color="white", linewidth=2)
