"""The colour of skin: two pigments, and what lies on it.

Melanin and haemoglobin absorb as light passes through the skin, each with its
own spectrum; the maps of a head say how much there is of either, and noise that
is fixed to the face adds blotches, freckles and pores. Brows, beard and the
scalp's stubble are painted on top, cloth covers the shoulders.
"""

import math
from typing import NamedTuple

import numpy as np

from facelab_data.rendering.compiled import inline
from facelab_data.rendering.noise import plane, value
from facelab_data.rendering.scene import Look, Surface
from facelab_data.rendering.vectors import clamped, decay, mixed, scaled, smoothstep

MOUTH_COLOUR, GREY_ROOTS = (0.22, 0.050, 0.045), (0.28, 0.26, 0.25)


class Skin(NamedTuple):
    """The maps of a head at one point; see the channels in `scene`."""

    place: tuple
    melanin: float
    haemoglobin: float
    scalp: float
    lips: float
    inside: float
    cloth: float
    oil: float
    beard: float
    dark: float


class Grain(NamedTuple):
    """Noise at one point of the skin, 0 to 1, by the size of its cells."""

    coarse: float  # 11 mm
    medium: float  # 3 mm
    fine: float  # 1 mm


class Detail(NamedTuple):
    """How much of the smaller grains the image can show, 0 to 1 (else they would alias)."""

    medium: float
    fine: float


def detail(pixel_m: float) -> Detail:
    """Fade grains out whose cells are smaller than a pixel (its side on the face, m)."""

    def share(cell_m: float) -> float:
        return float(np.clip((cell_m / pixel_m - 0.4) / 0.8, 0, 1))

    return Detail(share(0.1 / 34), share(0.1 / 90))


@inline
def grain(place: tuple, seed: float, shown: Detail, lattice: np.ndarray) -> Grain:
    """Evaluate the noise of the skin; what the image cannot show is its mean."""
    x, y, z = place
    coarse = value(lattice, x * 9.0 + seed, y * 9.0 + 3.3, z * 9.0 + seed * 0.7)
    medium = fine = 0.5
    if shown.medium > 0.0:
        n = value(lattice, x * 34.0 + seed * 1.3, y * 34.0, z * 34.0 + 11.0)
        medium += (n - 0.5) * shown.medium
    if shown.fine > 0.0:
        n = value(lattice, x * 90.0, y * 90.0 + seed, z * 90.0)
        fine += (n - 0.5) * shown.fine
    return Grain(coarse, medium, fine)


@inline
def absorbed(melanin: float, haemoglobin: float, yellow: float) -> tuple:
    """Colour that pigments leave of white light."""
    m, h = clamped(melanin / 1.25) * 1.25, max(haemoglobin, 0.0)
    m2 = m * m
    return (
        0.70 * decay(0.30 * m + 2.15 * m2 + 0.05 * h),
        0.535 * decay(1.42 * m + 1.25 * m2 + 0.36 * h + 0.03 * yellow),
        0.455 * decay(2.40 * m + 0.30 * m2 + 0.27 * h + 0.22 * yellow),
    )


@inline
def spots(skin: Skin, look: Look, moles: np.ndarray, lattice: np.ndarray) -> float:
    """Melanin of freckles and moles."""
    x, y, z = skin.place
    melanin = 0.0
    if z < 0.2:
        return melanin
    if look.freckles > 0.0:
        n = value(lattice, x * 40.0 + 7.0 + look.noise_seed, y * 40.0 + 5.0, z * 40.0 + 2.0)
        q = (y + 0.05) / 0.28
        region = decay(q * q) * smoothstep(0.2, 0.5, z)
        melanin += look.freckles * region * smoothstep(0.62, 0.80, n) * 0.30
    for i in range(moles.shape[0]):
        dx, dy = x - moles[i, 0], y - moles[i, 1]
        q = (dx * dx + dy * dy) / (moles[i, 2] * moles[i, 2])
        if q < 2.5:
            melanin += moles[i, 3] * decay(q * q)
    return melanin


@inline
def painted_lips(colour: tuple, lip: float, skin: Skin, look: Look, lattice: np.ndarray) -> tuple:
    """Furrow the lips and put lipstick on them."""
    x, y = skin.place[0], skin.place[1]
    furrows = plane(lattice, x * 55.0 + look.noise_seed, y * 8.0, 3)
    colour = scaled(colour, 1.0 - 0.16 * lip * (furrows - 0.35))
    stick = (look.lipstick_r, look.lipstick_g, look.lipstick_b)
    return mixed(colour, stick, lip * look.lipstick)


@inline
def brow(place: tuple, look: Look, lattice: np.ndarray) -> float:
    """Density of the eyebrow at a point, 0 to 1."""
    x, y, z = abs(place[0]), place[1], place[2]
    if z < 0.3 or y < 0.1 or y > 0.8:
        return 0.0
    along = (x - look.brow_inner) / (look.brow_outer - look.brow_inner)
    if along < -0.12 or along > 1.1:
        return 0.0
    q = clamped(along)
    bend = 2.0 * q - 1.2
    ridge = look.brow_height + look.brow_slope * (q - 0.5) + look.brow_arch * (1.0 - bend * bend)
    across = (y - ridge) / (look.brow_thickness * (1.0 - 0.72 * q * q))
    if across * across > 7.0:
        return 0.0
    # hairs stand up at the inner end and lie down towards the temple; (c, s) is their direction
    c, s = 0.62 + 0.37 * q, 0.78 - 0.66 * q
    hairs = plane(lattice, (x * c + y * s) * 16.0 + look.noise_seed, (y * c - x * s) * 150.0, 5)
    ends = smoothstep(-0.10, 0.10, along) * (1.0 - smoothstep(0.86, 1.08, along))
    return min(
        look.brow_density * ends * decay(across * across * 1.1) * (0.68 + 0.50 * hairs), 0.96
    )


@inline
def clothed(skin: Skin, look: Look, n: Grain) -> Surface:
    """Cover the shoulders: plain, heather (pattern 1) or striped (2), with a hem."""
    k = 0.9 + 0.2 * n.fine
    if look.cloth_pattern > 1.5:
        stripe = skin.place[1] * 15.1
        k *= 0.72 if stripe - math.floor(stripe) < 0.4 else 1.0
    elif look.cloth_pattern > 0.5:
        k *= 0.68 + 0.4 * n.coarse
    if skin.cloth < 0.004:
        k *= 0.78
    colour = scaled((look.cloth_r, look.cloth_g, look.cloth_b), k)
    return Surface(colour, (0.0, 0.0, 0.0), 0.01, 0.7, 1.0)


@inline
def pigmented(skin: Skin, lip: float, look: Look, n: Grain, spot: float) -> tuple:
    """Colour of bare skin from its pigments and their blotches."""
    coarse, medium, fine = n.coarse - 0.5, n.medium - 0.5, n.fine - 0.5
    melanin = skin.melanin + look.mottle * (0.10 * coarse + 0.09 * medium + 0.05 * fine)
    haemoglobin = skin.haemoglobin + look.mottle * (0.25 * coarse + 0.30 * medium)
    melanin += spot + look.lip_melanin * lip
    haemoglobin += (look.lip_haemoglobin - 0.4 * haemoglobin) * lip
    return absorbed(melanin, haemoglobin, look.yellow)


@inline
def haired(colour: tuple, skin: Skin, look: Look, n: Grain, hairs: float) -> tuple:
    """Lay brow, beard and the scalp's stubble over skin; returns colour and what is covered."""
    bare = 1.0
    if hairs > 0.0:
        colour = mixed(colour, (look.brow_r, look.brow_g, look.brow_b), hairs)
        bare *= 1.0 - hairs
    if skin.beard > 0.01:
        k = min(0.95, skin.beard * (0.70 + 0.38 * n.fine + 0.22 * n.medium))
        colour = mixed(colour, (look.beard_r, look.beard_g, look.beard_b), k)
        bare *= 1.0 - k
    if look.scalp > 0.0 and skin.scalp > -0.02:
        line = smoothstep(-0.010, 0.008, skin.scalp + 0.010 * (n.coarse - 0.5))
        k = min(0.98, line * look.scalp * (0.80 + 0.36 * n.fine))
        hair = mixed((look.hair_r, look.hair_g, look.hair_b), GREY_ROOTS, 0.8 * look.grey)
        colour = mixed(colour, hair, k)
        bare *= (1.0 - k) * (1.0 - k)
    return colour, bare


@inline
def skin_surface(
    skin: Skin, look: Look, moles: np.ndarray, lattice: np.ndarray, shown: Detail
) -> Surface:
    """Describe the surface at a point of skin, lip, beard or cloth."""
    n = grain(skin.place, look.noise_seed, shown, lattice)
    if skin.cloth + 0.0015 * (n.coarse - 0.5) > 0.0:
        return clothed(skin, look, n)
    lip = smoothstep(0.30, 0.72, skin.lips)
    colour = pigmented(skin, lip, look, n, spots(skin, look, moles, lattice))
    if lip > 0.0:
        colour = painted_lips(colour, lip, skin, look, lattice)
    colour, bare = haired(colour, skin, look, n, brow(skin.place, look, lattice))
    d = skin.dark
    colour = (
        colour[0] * (1.0 - 0.6 * d), colour[1] * (1.0 - d), colour[2] * (1.0 - 0.9 * d)
    )  # fmt: skip
    inside = smoothstep(0.2, 0.8, skin.inside)
    colour = mixed(colour, MOUTH_COLOUR, inside)
    oil = skin.oil * look.oil * bare
    specular = 0.028 * (0.55 + 0.9 * oil + 0.5 * lip) * (0.3 + 0.7 * bare)
    roughness = 0.46 - 0.10 * oil - 0.14 * lip * look.lip_gloss
    dry = 1.0 - inside
    return Surface(colour, (0.42 * dry, 0.20 * dry, 0.12 * dry), specular, roughness, 1.0)
