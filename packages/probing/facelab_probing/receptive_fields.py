"""What a unit really looks at: its empirical receptive field, from maps of its best images.

After Zhou et al. 2015: each discrepancy map is moved so that the centre of the unit's theoretical
field, where it responded most, comes to the middle; their mean is the field. Rises are no part of
it: only drops count.

The headline size is the side of the evenly sensitive square whose second moments the field has,
less those of the occluder. For a unit that sums pixels, a map is its sensitivity smoothed by the
occluder, and the variances of the two add up: so a unit that weighs 3 × 3 pixels alike measures 3
under an occluder of any size, and no threshold is needed. Along each principal axis of a field with
variance v, an occluder of w pixels leaves v − (w² − 1) / 12, and evenly sensitive n pixels have (n²
− 1) / 12, hence n. The moments are sums over occluders where they are, to a fraction of a pixel;
nothing is interpolated. Where a unit is not linear, the correction is an approximation: the size
without it is told too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facelab_probing.discrepancies import Maps
from facelab_probing.fields import Field


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The extent of a field, in pixels.

    Attributes
    ----------
    size_px : float
        Side of the evenly sensitive square of the same extent: geometric mean of the axes.
    major_px, minor_px : float
        Lengths of the evenly sensitive rectangle of the same extent.
    orientation_deg : float
        Of the longer axis, in [0, 180): 0 along a row, 90 down a column, 45 towards lower right.
    raw_px : float
        `size_px` without correction for the occluder.
    """

    size_px: float
    major_px: float
    minor_px: float
    orientation_deg: float
    raw_px: float


@dataclass(frozen=True, kw_only=True)
class ReceptiveField:
    """The empirical receptive field of a unit.

    Attributes
    ----------
    extent : Extent
    size_se_px : float
        Jackknife standard error of the size over the images; nan for one image.
    picture : array, (side, side)
        Mean drop around the unit's centre, a value per pixel, the centre in the middle one; drawn
        between the occluders' centres, so as wide as the occluder makes it; side is odd.
    area_px : float
        Side of the square as large as `mask`: not corrected.
    mask : bool array, (side, side)
        Where the picture reaches the fraction of its peak asked for.
    theoretical_px : tuple of float
        Height and width of the theoretical field.
    images : int
        Those with any drop: a silent unit has none, and sizes of nan.
    """

    extent: Extent
    size_se_px: float
    picture: np.ndarray
    area_px: float
    mask: np.ndarray
    theoretical_px: tuple[float, float]
    images: int


def receptive_field(
    maps: Sequence[Maps], unit: int, field: Field, *, fraction: float = 0.5
) -> ReceptiveField:
    """Estimate a unit's receptive field from its maps for several images.

    Parameters
    ----------
    maps : sequence of Maps
        One per image, each holding this unit.
    unit : int
    field : Field
        The theoretical field of the unit's layer.
    fraction : float
        Of the picture's peak, for its mask and area.

    Raises
    ------
    ValueError
        If there is no map, one lacks the unit, or the fraction is not in (0, 1].
    """
    if not maps or not 0 < fraction <= 1:
        raise ValueError(
            f"a field needs maps and a fraction in (0, 1]; given {len(maps)} and {fraction}"
        )
    centred = [_centred(one, unit, field) for one in maps]
    moments = np.array([_moments(*one) for one in centred])
    moments = moments[moments[:, 0] > 0]
    footprint = maps[0].size_px
    sizes = [
        _extent(moments.sum(axis=0) - left_out, footprint).size_px
        for left_out in (moments if len(moments) > 1 else [])
    ]
    picture = _picture(centred, max(field.size_px) / 2 + footprint)
    mask = (picture >= fraction * picture.max()) & (picture > 0)
    return ReceptiveField(
        extent=_extent(moments.sum(axis=0), footprint),
        size_se_px=_jackknife(np.array(sizes)),
        picture=picture,
        area_px=float(np.sqrt(mask.sum())) if mask.any() else np.nan,
        mask=mask,
        theoretical_px=field.size_px,
        images=len(moments),
    )


def segment(maps: Maps, unit: int, side_px: tuple[int, int], *, fraction: float) -> np.ndarray:
    """Cut out of an image what the unit responds to, bool (height, width).

    A pixel belongs to it if the mean drop under the occluders that cover it reaches `fraction` of
    the largest.
    """
    painted = maps.only([_row(maps, unit)]).painted(side_px)[0]
    return (painted >= fraction * painted.max()) & (painted > 0)


def _row(maps: Maps, unit: int) -> int:
    found = np.flatnonzero(maps.units == unit)
    if not len(found):
        raise ValueError(f"there is no map of unit {unit}; there are {maps.units.tolist()}")
    return int(found[0])


def _centred(maps: Maps, unit: int, field: Field) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give a unit's drops, and the occluders' rows and columns from the centre of its field."""
    row = _row(maps, unit)
    centres = (
        axis.offset_px + place * axis.stride_px + (axis.size_px - 1) / 2
        for axis, place in zip((field.rows, field.columns), maps.places[row], strict=True)
    )
    middle = (maps.size_px - 1) / 2
    down, along = (
        starts + middle - centre
        for starts, centre in zip((maps.rows, maps.columns), centres, strict=True)
    )
    return maps.drops[row].clip(min=0).astype(float), down, along


def _moments(drops: np.ndarray, down: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Sum drops, times their places, and times products of these: (6,)."""
    rows, columns = drops.sum(axis=1), drops.sum(axis=0)
    return np.array(
        [
            *(rows.sum(), rows @ down, columns @ along),
            *(rows @ down**2, columns @ along**2, down @ drops @ along),
        ]
    )


def _extent(moments: np.ndarray, footprint_px: int) -> Extent:
    total, down, along, down_2, along_2, mixed = moments
    if not total > 0:
        return Extent(**dict.fromkeys(Extent.__annotations__, np.nan))
    mean = np.array([down, along]) / total
    spread = np.array([[down_2, mixed], [mixed, along_2]]) / total - np.outer(mean, mean)
    variances, axes = np.linalg.eigh(spread)
    corrected = (variances - (footprint_px**2 - 1) / 12).clip(min=0)
    minor, major = np.sqrt(12 * corrected + 1)
    angle = np.degrees(np.arctan2(axes[0, 1], axes[1, 1])) % 180
    return Extent(
        size_px=float(np.sqrt(minor * major)),
        major_px=float(major),
        minor_px=float(minor),
        orientation_deg=float(angle),
        raw_px=float(np.sqrt(np.sqrt(12 * variances.clip(min=0) + 1).prod())),
    )


def _jackknife(sizes: np.ndarray) -> float:
    """Give the standard error of an estimate from those that leave one image out."""
    if len(sizes) < 2:
        return np.nan
    return float(np.sqrt((len(sizes) - 1) * np.mean((sizes - sizes.mean()) ** 2)))


def _picture(centred: list, reach_px: float) -> np.ndarray:
    """Draw the mean of the maps, pixel by pixel, as far as the reach or any occluder goes."""
    widest = max(max(abs(down).max(), abs(along).max()) for _, down, along in centred)
    side = int(np.ceil(min(reach_px, widest)))
    pixels = np.arange(-side, side + 1)
    total, count = np.zeros((2, len(pixels), len(pixels)))
    for drops, down, along in centred:
        rows, columns = _between(down, pixels), _between(along, pixels)
        total += rows @ drops @ columns.T
        count += rows.any(axis=1)[:, None] * columns.any(axis=1)
    return total / count.clip(1)


def _between(places: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Give the weight of each place in each pixel, (pixels, places), between its neighbours.

    Linear; 0 before the first place and after the last.
    """
    inside = (pixels >= places[0]) & (pixels <= places[-1])
    weights = np.stack([np.interp(pixels, places, row) for row in np.eye(len(places))], axis=1)
    return weights * inside[:, None]
