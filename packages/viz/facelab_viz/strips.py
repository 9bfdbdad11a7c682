"""What a unit looks at, as a strip: its best images, their maps, what they say it responds to.

A strip has three rows, one column per image: the image; its discrepancy map, dark where hiding a
part changes nothing; and the image with all darkened but the part that matters. Beside it the
unit's mean field, with the outline of its theoretical one. Pixels are (H, W, 3) uint8.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from facelab_viz.pictures import WHITE, contact_sheet
from facelab_viz.theme import DOUBLE_MM, figure

HEAT = "magma"
DARKENED = 0.3
PAD = 2
CAPTION_MM = 5.0
LINE = np.array([255, 255, 255], np.uint8)
FRAME = np.array([110, 200, 255], np.uint8)


@dataclass(frozen=True, kw_only=True)
class Sitter:
    """A unit to be drawn.

    Attributes
    ----------
    images : array, (k, h, w, 3), uint8
    maps : array, (k, H, W)
        How much hiding each part of each image costs, on any grid of the same proportions.
    segments : bool array, (k, H, W)
    picture, mask : array, (side, side)
        The mean field, a value per pixel, and where it is counted as such.
    theoretical_px : float
        Side of the theoretical field.
    caption : str
    """

    images: np.ndarray
    maps: np.ndarray
    segments: np.ndarray
    picture: np.ndarray
    mask: np.ndarray
    theoretical_px: float
    caption: str


def heat(values: np.ndarray) -> np.ndarray:
    """Colour what is above 0, each (h, w) of (..., h, w) up to its own maximum: (..., h, w, 3)."""
    peak = values.max(axis=(-2, -1), keepdims=True)
    shares = np.clip(values / np.where(peak > 0, peak, 1), 0, 1)
    return (mpl.colormaps[HEAT](shares)[..., :3] * 255).round().astype(np.uint8)


def resample(pictures: np.ndarray, height: int, width: int) -> np.ndarray:
    """Take the nearest pixels: (n, H, W, ...) to (n, height, width, ...)."""
    rows, columns = (
        ((np.arange(n) + 0.5) * old / n).astype(int)
        for n, old in zip((height, width), pictures.shape[1:3], strict=True)
    )
    return pictures[:, rows[:, None], columns]


def strip(sitter: Sitter, tile_px: int) -> np.ndarray:
    """Draw a unit's strip; each image is `tile_px` wide.

    Raises
    ------
    ValueError
        If images, maps and segments differ in number, or there is none.
    """
    counts = [len(one) for one in (sitter.images, sitter.maps, sitter.segments)]
    if len(set(counts)) > 1 or not counts[0]:
        raise ValueError(f"a strip needs as many maps and segments as images; given {counts}")
    height = round(tile_px * sitter.images.shape[1] / sitter.images.shape[2])
    images, maps, lit = (
        resample(one, height, tile_px)
        for one in (sitter.images, heat(sitter.maps), sitter.segments)
    )
    darkened = np.where(lit[..., None], images, (images * DARKENED).astype(np.uint8))
    return contact_sheet(np.concatenate([images, maps, darkened]), counts[0], pad=PAD)


def field(sitter: Sitter, side_px: int) -> np.ndarray:
    """Draw the mean field: white round its mask, blue round the theoretical field."""
    side = len(sitter.picture)
    picture, mask = (
        resample(one[None], side_px, side_px)[0] for one in (heat(sitter.picture), sitter.mask)
    )
    inside = np.pad(mask, 1)
    whole = inside[2:, 1:-1] & inside[:-2, 1:-1] & inside[1:-1, 2:] & inside[1:-1, :-2]
    picture[mask & ~whole] = LINE
    half = sitter.theoretical_px / 2
    edges = [round((side / 2 + sign * half) * side_px / side) for sign in (-1, 1)]
    first, last = max(edges[0], 0), min(edges[1], side_px) - 1
    picture[first : last + 1, [first, last]] = FRAME
    picture[[first, last], first : last + 1] = FRAME
    return picture


def whole(sitter: Sitter, tile_px: int) -> np.ndarray:
    """Set the strip and, as high and to its right, the field."""
    pixels = strip(sitter, tile_px)
    gap = np.full((len(pixels), 3 * PAD, 3), WHITE, np.uint8)
    return np.concatenate([pixels, gap, field(sitter, len(pixels))], axis=1)


def strips(sitters: Sequence[Sitter], *, tile_px: int, width_mm: float = DOUBLE_MM) -> Figure:
    """Draw one strip below the other. The caller saves.

    Raises
    ------
    ValueError
        If there is nobody to draw.
    """
    if not sitters:
        raise ValueError("there is no unit to draw")
    pictures = [whole(one, tile_px) for one in sitters]
    heights = [0.98 * width_mm * len(one) / one.shape[1] + CAPTION_MM for one in pictures]
    fig = figure(width_mm, sum(heights))
    axes = fig.subplots(len(sitters), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
    for sitter, pixels, ax in zip(sitters, pictures, axes[:, 0], strict=True):
        ax.imshow(pixels, interpolation="nearest")
        ax.axis("off")
        ax.set_title(sitter.caption, loc="left")
    return fig
