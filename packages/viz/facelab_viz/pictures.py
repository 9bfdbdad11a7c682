"""Pictures side by side: contact sheets, and what each factor does to a face.

Images are (H, W, 3) uint8, as on disk. Enlarged pixels stay pixels.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from facelab_viz.labels import readable, unit
from facelab_viz.theme import DOUBLE_MM, figure

WHITE = 255


def contact_sheet(
    images: np.ndarray, columns: int, *, pad: int = 2, background: int = WHITE
) -> np.ndarray:
    """Set images in rows, from left to right, with `pad` pixels between and none around.

    Parameters
    ----------
    images : (N, H, W, 3), uint8
    columns : int
        Images in a row; the last row may be short.
    pad : int
        Pixels between images.
    background : int
        Grey level, 0 to 255, between images and in empty cells.

    Returns
    -------
    sheet : (R·H + (R−1)·pad, C·W + (C−1)·pad, 3), uint8

    Raises
    ------
    ValueError
        If `images` has another shape or type, or none is given.
    """
    images = _checked(images)
    _check_grid(columns, pad)
    n, height, width, _ = images.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    cells = np.full((rows * columns, height + pad, width + pad, 3), background, np.uint8)
    cells[:n, :height, :width] = images
    cells = cells.reshape(rows, columns, height + pad, width + pad, 3).swapaxes(1, 2)
    sheet = cells.reshape(rows * (height + pad), columns * (width + pad), 3)
    return np.ascontiguousarray(sheet[: sheet.shape[0] - pad, : sheet.shape[1] - pad])


def draw_sheet(
    images: np.ndarray,
    columns: int,
    ax: Axes | None = None,
    *,
    pad: int = 2,
    captions: Sequence[str] = (),
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
) -> Axes:
    """Draw a contact sheet with words: beside rows, above columns, beneath pictures.

    Parameters
    ----------
    images : (N, H, W, 3), uint8
    columns : int
        Images in a row.
    ax : Axes, optional
        Where to draw; a new figure of full width by default.
    pad : int
        Pixels between images, beside the room for captions.
    captions, row_labels, column_labels : sequence of str
        One per image, per row and per column; none by default.

    Raises
    ------
    ValueError
        If there are more or fewer words than places, or no image.
    """
    images = _checked(images)
    _check_grid(columns, pad)
    n, height, width, _ = images.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    _check_words("captions", captions, n)
    _check_words("row_labels", row_labels, rows)
    _check_words("column_labels", column_labels, columns)
    ax = ax or _axes_for(rows, columns, height / width, any(captions))
    room = _caption_px(ax, columns * (width + pad)) if captions else 0
    spaced = np.pad(images, ((0, 0), (0, room), (0, 0), (0, 0)), constant_values=WHITE)
    ax.imshow(contact_sheet(spaced, columns, pad=pad), interpolation="nearest")
    ax.axis("off")
    ax.set_anchor("NW")  # else the layout misjudges the room for words on these sides
    step_y, step_x = height + room + pad, width + pad
    for i, words in enumerate(captions):
        x, y = i % columns * step_x + width / 2, i // columns * step_y + height
        _write(ax, (x, y), words, toward=(0, -1))
    for i, words in enumerate(row_labels):
        _write(ax, (0, i * step_y + height / 2), words, toward=(-1, 0))
    for j, words in enumerate(column_labels):
        _write(ax, (j * step_x + width / 2, 0), words, toward=(0, 1))
    return ax


def factor_sheet(
    sweeps: Mapping[str, np.ndarray],
    values: Mapping[str, Sequence[float | str]],
    ax: Axes | None = None,
    *,
    pad: int = 2,
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw a row of pictures per factor, along which that factor alone changes.

    Parameters
    ----------
    sweeps : mapping of (N, H, W, 3), uint8
        The pictures of each factor, in the order of rows; rows may differ in length.
    values : mapping of sequence
        The value of the factor in each picture: a number, printed with the
        factor's unit, or a word.
    ax : Axes, optional
        Where to draw; a new figure of full width by default.
    pad : int
        Pixels between images.
    labels : mapping, optional
        Words in print for factors and for values that are words.

    Raises
    ------
    ValueError
        If a factor has more or fewer values than pictures, there is none, or
        pictures differ in size.
    """
    if not sweeps:
        raise ValueError("sweeps is empty: no factor to draw")
    columns = max(len(images) for images in sweeps.values())
    size = _checked(next(iter(sweeps.values()))).shape[1:3]
    rows, captions = [], []
    for factor, images in sweeps.items():
        _check_sweep(factor, _checked(images), values.get(factor, ()), size)
        blank = columns - len(images)
        filling = ((0, blank), (0, 0), (0, 0), (0, 0))
        rows.append(np.pad(images, filling, constant_values=WHITE))
        captions += [_value(value, factor, labels) for value in values[factor]] + [""] * blank
    return draw_sheet(
        np.concatenate(rows),
        columns,
        ax,
        pad=pad,
        captions=captions,
        row_labels=[readable(factor, labels) for factor in sweeps],
    )


def _value(value: float | str, factor: str, labels: Mapping[str, str] | None) -> str:
    """Say one value of a factor: ``−30°``, ``40 mm``, ``female``."""
    if isinstance(value, str):
        return readable(value, labels)
    sign = unit(factor)
    gap = "" if sign in ("", "°") else " "
    return f"{value:.3g}{gap}{sign}".replace("-", "−")


def _checked(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8 or not len(images):
        raise ValueError(
            f"images must be (N, H, W, 3) uint8, N above 0; got {images.shape} {images.dtype}"
        )
    return images


def _check_grid(columns: int, pad: int) -> None:
    if columns < 1 or pad < 0:
        raise ValueError(f"columns must be 1 or more and pad 0 or more; got {columns} and {pad}")


def _check_sweep(factor: str, images: np.ndarray, values: Sequence, size: tuple[int, int]) -> None:
    """Refuse a row whose pictures lack a value, or differ in size from the first row's."""
    if len(values) != len(images):
        raise ValueError(f"factor {factor!r} has {len(images)} pictures and {len(values)} values")
    if images.shape[1:3] != size:
        own, others = (f"{height} × {width}" for height, width in (images.shape[1:3], size))
        raise ValueError(f"factor {factor!r} has pictures of {own} px, others of {others}")


def _check_words(name: str, words: Sequence[str], places: int) -> None:
    if len(words) not in (0, places):
        raise ValueError(f"{name} must be {places} in number, or none; got {len(words)}")


def _axes_for(rows: int, columns: int, shape: float, has_captions: bool) -> Axes:
    """Make a figure of full width, as high as its rows; `shape` is an image's height by width."""
    cell_mm = 0.88 * DOUBLE_MM / columns
    line_mm = 4.0 if has_captions else 0.0
    return figure(DOUBLE_MM, rows * (cell_mm * shape + line_mm) + 6).add_subplot()


def _caption_px(ax: Axes, width_px: int) -> int:
    """Find how many pixels of the sheet a line of small type takes."""
    points = ax.xaxis.label.get_fontsize()
    across = ax.get_window_extent().width / ax.figure.dpi * 72
    return int(np.ceil(1.4 * points * width_px / across))


def _write(ax: Axes, at: tuple[float, float], words: str, *, toward: tuple[int, int]) -> None:
    """Write to the left of a place of the sheet, above or below it; (0, 1) is up."""
    ax.annotate(
        words,
        (at[0] - 0.5, at[1] - 0.5),  # a pixel's centre is its coordinate
        (3 * toward[0], 2 * toward[1]),
        textcoords="offset points",
        ha="right" if toward[0] else "center",
        va={-1: "top", 0: "center", 1: "bottom"}[toward[1]],
        fontsize="small",
        annotation_clip=False,
    )
