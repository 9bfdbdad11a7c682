"""What panels share: the grid they stand in, the axis of layers, room for a legend."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator, SymmetricalLogLocator

from facelab_viz.labels import readable
from facelab_viz.theme import INCH_MM, figure

LETTER_EM = 0.6  # mean width of a letter, in sizes of type
GAP_EM = 0.6  # least room between words
HANDLE_EM = 4.5  # a line of the legend before its word, and the room after
LEGEND_ROWS = 2  # that may stand above a panel
LEGEND_MM = 6.0  # the room for one row of it
POINT_MM = INCH_MM / 72


def flow(groups: Sequence[Sequence[str]], columns: int) -> list[list[str]]:
    """Set panels in rows; a group that would be torn by the end of a row begins a new one.

    >>> flow([["a", "b"], ["c", "d"], ["e"]], 3)
    [['a', 'b'], ['c', 'd', 'e']]

    Raises
    ------
    ValueError
        If there is not at least one column.
    """
    if columns < 1:
        raise ValueError(f"columns must be 1 or more; it is {columns}")
    rows: list[list[str]] = [[]]
    for group in groups:
        if rows[-1] and len(rows[-1]) + len(group) > columns:
            rows.append([])
        for name in group:
            if len(rows[-1]) == columns:
                rows.append([])
            rows[-1].append(name)
    return rows


def grid(
    rows: Sequence[Sequence[str]],
    width_mm: float,
    panel_mm: float,
    *,
    share_x: bool = False,
    share_y: bool = False,
) -> tuple[Figure, dict[str, Axes]]:
    """Make a figure of small panels; return it and the panels by name, in reading order."""
    fig = figure(width_mm, len(rows) * panel_mm + LEGEND_MM)
    cells = fig.add_gridspec(len(rows), max(map(len, rows)))
    panels: dict[str, Axes] = {}
    for i, row in enumerate(rows):
        for j, name in enumerate(row):
            first = next(iter(panels.values()), None)
            shared = {"sharex": first if share_x else None, "sharey": first if share_y else None}
            panels[name] = fig.add_subplot(cells[i, j], **shared)
            if share_y and j:
                panels[name].tick_params(labelleft=False)
    return fig, panels


def lowest(rows: Sequence[Sequence[str]]) -> dict[str, bool]:
    """Find the panels with nothing beneath; True where they end above the last row."""
    last = len(rows) - 1
    return {
        name: i < last
        for i, row in enumerate(rows)
        for j, name in enumerate(row)
        if i == last or j >= len(rows[i + 1])
    }


def layer_axis(ax: Axes, layers: Sequence[str], labels: Mapping[str, str] | None = None) -> None:
    """Set the layers out along x at 0, 1, 2 …; upright if they do not fit side by side."""
    words = [readable(layer, labels) for layer in layers]
    ax.set_xticks(range(len(layers)), words)
    size = ax.xaxis.get_ticklabels()[0].get_fontsize()
    room = ax.get_window_extent().width / ax.figure.dpi * 72 / len(layers)
    fits = (max(map(len, words)) * LETTER_EM + GAP_EM) * size < room
    ax.tick_params(axis="x", rotation=0 if fits else 90)
    ax.set_xlim(-0.4, len(layers) - 0.6)


def hang_labels(ax: Axes) -> None:
    """Let a panel's layer labels hang into the empty cell below, taking no room in the grid."""
    for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True):
        text = ax.annotate(
            label.get_text(),
            (place, 0),
            (0, -4.5),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            rotation=label.get_rotation(),
            fontsize=label.get_fontsize(),
            ha="center",
            va="top",
            annotation_clip=False,
        )
        text.set_in_layout(False)
    ax.tick_params(labelbottom=False)


def upright_mm(ax: Axes) -> float:
    """Say how far upright layer labels reach down beyond level ones; 0 if they are level."""
    labels = ax.get_xticklabels()
    if not labels or not labels[0].get_rotation():
        return 0.0
    letters = max(len(label.get_text()) for label in labels)
    return max(0.0, letters * LETTER_EM - 1) * labels[0].get_fontsize() * POINT_MM


def heighten(fig: Figure, by_mm: float) -> None:
    """Make a figure higher, so that words at its edge take nothing from its panels."""
    fig.set_figheight(fig.get_figheight() + by_mm / INCH_MM)


def stretch_early(ax: Axes, linear_to: float) -> None:
    """Show x in full up to `linear_to` and by its logarithm beyond, with plain numbers."""
    ax.set_xscale("symlog", linthresh=linear_to, linscale=0.6)
    ax.xaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=linear_to, subs=[1, 2, 5]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlim(left=-0.05 * linear_to)


def legend_beside(ax: Axes) -> None:
    """Put a legend above the panel, or to its right if it is long: never on the data."""
    handles, words = ax.get_legend_handles_labels()
    if not handles:
        return
    columns = _words_abreast(words, ax.get_window_extent().width / ax.figure.dpi, ax)
    if len(words) <= LEGEND_ROWS * columns:
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": min(columns, len(words))}
    else:
        place = {"loc": "upper left", "bbox_to_anchor": (1, 1), "ncols": 1}
    ax.legend(handles, words, borderaxespad=0.3, columnspacing=1.2, **place)


def _words_abreast(words: Sequence[str], width_inch: float, ax: Axes) -> int:
    """Count the entries of a legend that fit side by side."""
    em_inch = ax.xaxis.label.get_fontsize() / 72
    return int(width_inch / em_inch / (max(map(len, words)) * LETTER_EM + HANDLE_EM))


def finish(fig: Figure, panels: Mapping[str, Axes], rows: Sequence[Sequence[str]]) -> None:
    """Leave layer labels under the lowest panels only, and make one legend for all.

    The figure grows by what upright labels and further rows of the legend take.
    """
    lowest_panels = lowest(rows)
    entries: dict[str, object] = {}
    for ax in panels.values():
        handles, words = ax.get_legend_handles_labels()
        entries |= {w: h for w, h in zip(words, handles, strict=True) if w not in entries}
        ax.set(xlabel="", ylabel="")
        ax.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
    upright = max(upright_mm(ax) for ax in panels.values())
    for name, ax in panels.items():
        if name not in lowest_panels:
            ax.tick_params(labelbottom=False)
        elif lowest_panels[name]:
            hang_labels(ax)
    abreast = _words_abreast(list(entries), fig.get_figwidth(), ax) if entries else 1
    columns = max(1, min(abreast, len(entries)))
    fig.legend(entries.values(), entries.keys(), loc="outside upper left", ncols=columns)
    further = max(0, -(-len(entries) // columns) - 1)
    heighten(fig, upright + further * LEGEND_MM * 0.6)
