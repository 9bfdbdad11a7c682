"""One look for every figure: sizes as printed, type, and colours with fixed meanings.

The look is lent, never imposed: inside ``with apply():`` figures are made and
saved in it, and outside matplotlib is as it was. No figure here knows pyplot,
so none is kept alive by it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle

import matplotlib as mpl
from matplotlib.figure import Figure

from facelab_viz.labels import OTHER, group_of

SINGLE_MM = 88.0  # one column of a journal page
DOUBLE_MM = 180.0  # the full width
INCH_MM = 25.4

BLUE, VERMILLION, GREEN, AMBER = "#0067a5", "#d55e00", "#009068", "#e6a000"
PLUM, SKY, INK, GREY = "#8e2a77", "#5ab4e5", "#222222", "#9a9a9a"
NULL = "#d9d9d9"  # where a score cannot be told from chance

# A factor and a network that was trained on it share a colour, in every figure.
GROUP_COLOURS = {
    "identity": BLUE,
    "expression": VERMILLION,
    "pose": GREEN,
    "light": AMBER,
    "context": PLUM,
    OTHER: INK,
}
NETWORK_COLOURS = {
    "identity": BLUE,
    "expression": VERMILLION,
    "dual": PLUM,
    "factors": GREEN,
    "gender": SKY,
    "objects": AMBER,
    "untrained": GREY,
}
CYCLE = (BLUE, VERMILLION, GREEN, PLUM, AMBER, SKY, INK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)), (0, (7, 2)), (0, (2, 2)))
UNTRAINED_DASH = (0, (3, 1.2))

STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
    "mathtext.fontset": "dejavusans",
    "font.size": 7.0,
    "axes.titlesize": 7.0,
    "axes.labelsize": 7.0,
    "figure.labelsize": 7.0,
    "xtick.labelsize": 6.0,
    "ytick.labelsize": 6.0,
    "legend.fontsize": 6.5,
    "legend.title_fontsize": 6.5,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlepad": 3.0,
    "axes.labelpad": 2.5,
    "axes.prop_cycle": mpl.cycler(color=CYCLE),
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.2,
    "ytick.major.size": 2.2,
    "xtick.minor.size": 1.2,
    "ytick.minor.size": 1.2,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.0,
    "lines.markeredgewidth": 0.0,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "figure.dpi": 150.0,
    "savefig.dpi": 300.0,
    "pdf.fonttype": 42,  # type stays type in a vector file
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "facelab",  # the same figure is the same file
}


@contextmanager
def apply() -> Iterator[None]:
    """Lend the house style: figures made and saved inside have it, and nothing outlives it.

    >>> before = dict(mpl.rcParams)
    >>> with apply():
    ...     mpl.rcParams["font.size"]
    7.0
    >>> dict(mpl.rcParams) == before
    True
    """
    with mpl.rc_context(STYLE):
        yield


def figure(width_mm: float = SINGLE_MM, height_mm: float = 60.0) -> Figure:
    """Make an empty figure of a size in print, outside pyplot's memory."""
    return Figure(figsize=(width_mm / INCH_MM, height_mm / INCH_MM), layout="constrained")


def styles(names: Iterable[str], column: str) -> dict[str, dict]:
    """Give each group its colour, dash and marker, so that no line rests on colour alone.

    Networks and factors keep theirs from figure to figure; other groups take
    turns. A name that says ``untrained`` is grey and dashed.

    Parameters
    ----------
    names : iterable of str
        The groups, in the order of the legend.
    column : str
        What they are: ``network``, ``factor`` (or ``target``), or anything else.
    """
    names = list(dict.fromkeys(str(name) for name in names))
    if column in ("factor", "target"):
        return _factor_styles(names)
    fixed = NETWORK_COLOURS if column == "network" else {}
    spare = cycle([c for c in CYCLE if c not in {fixed.get(n) for n in names}] or CYCLE)
    look = {}
    for name, marker in zip(names, cycle(MARKERS), strict=False):
        if "untrained" in name:
            look[name] = {"color": GREY, "linestyle": UNTRAINED_DASH, "marker": marker}
        else:
            colour = fixed[name] if name in fixed else next(spare)
            look[name] = {"color": colour, "linestyle": "-", "marker": marker}
    return look


def _factor_styles(names: list[str]) -> dict[str, dict]:
    """Colour by group; within a group, dash and marker tell factors apart."""
    look: dict[str, dict] = {}
    seen: dict[str, int] = {}
    for name in names:
        group = group_of(name)
        turn = seen.get(group, 0)
        seen[group] = turn + 1
        look[name] = {
            "color": GROUP_COLOURS[group],
            "linestyle": DASHES[turn % len(DASHES)],
            "marker": MARKERS[turn % len(MARKERS)],
        }
    return look
