"""Where on the head things are: lips, beard, scalp, cheeks, collar.

Every map gives one number per vertex of the template and is the same on both sides
of the face. Maps are drawn in the template's own coordinates (m; x across, y up from
the middle of the body, z forward) or looked up in MakeHuman's texture masks.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from facelab_data.easing import smoothstep
from facelab_data.makehuman import Bust
from facelab_data.rendering.scene import EYE_LEFT, EYE_RIGHT, LASHES, SKIN

MASKS = {"lips": 1.0, "inside-mouth": 0.0, "ears": 2.0, "eyelids": 1.0}  # name, blur in texels
CANONICAL_ORIGIN = np.array([0.0, 0.71, 0.08])
SKULL_CENTRE = np.array([0.0, 0.765, 0.05])
LASH_ROOT_M = 0.015  # distance of the lid's edge from the centre of the eye

# Height of the hairline by azimuth from the face's midline: temple, sideburn, behind the ear, nape.
HAIRLINE_DEG = (0, 14, 28, 38, 46, 54, 61, 67, 72, 79, 83, 90, 100, 108, 118, 140, 160, 180)
HAIRLINE_M = (
    0.8035, 0.8035, 0.800, 0.793, 0.779, 0.760, 0.747, 0.735, 0.716, 0.714, 0.733, 0.743, 0.743,
    0.727, 0.703, 0.687, 0.676, 0.672,
)  # fmt: skip
BEARD_ACROSS_M = (0, 0.030, 0.036, 0.060, 0.071, 0.08)
BEARD_TOP_M = (0.689, 0.686, 0.668, 0.690, 0.715, 0.715)


def draw_maps(bust: Bust, textures: Path) -> dict[str, np.ndarray]:
    """Draw all maps over the vertices of the bust, each (n,) float64.

    lips, inside, ears, lids, red, dark, oil, beard, moustache, goatee and pose_weight
    run from 0 to 1; scalp (above the hairline) and cloth (inside the collar) are signed
    distances in m; azimuth is the angle from the face's midline around the skull, 0 to pi.
    """
    part = vertex_parts(bust)
    skin = part == SKIN
    masks = {name: _read_mask(textures, name, blur, bust.uv) for name, blur in MASKS.items()}
    lips, inside, ears, lids = (mask * skin for mask in masks.values())
    maps = {"lips": lips, "inside": inside, "ears": ears, "lids": lids}
    x, y, z = np.abs(bust.vertices[:, 0]), bust.vertices[:, 1], bust.vertices[:, 2]
    outside = smoothstep(0.06, 0.10, z) * (1 - inside) * skin
    maps |= _draw_skin(x, y, outside, ears, lids)
    bare = skin * (1 - inside) * (1 - ears) * (1 - smoothstep(0.1, 0.5, lips))
    maps |= _draw_beard(x, y, z, bare)
    maps["azimuth"] = np.arctan2(x - SKULL_CENTRE[0], z - SKULL_CENTRE[2])
    below = (ears > 0.15) | (inside > 0.1) | ~skin | ((maps["azimuth"] < 1.2) & (y < 0.70))
    maps["scalp"] = np.clip(np.where(below, -1, y - hairline(maps["azimuth"])), -0.05, 0.05)
    collar = np.hypot(x / 1.15, z - 0.045) - 0.066 - 0.9 * np.clip(y - 0.545, -0.05, 0.03)
    maps["cloth"] = np.where(skin & (y < 0.62), collar, -1)
    turning = smoothstep(0.535, 0.625, y + 0.20 * (z - 0.03))
    maps["pose_weight"] = np.where(skin & (inside <= 0.3), turning, 1)
    return maps


def vertex_parts(bust: Bust) -> np.ndarray:
    """Give each vertex the part of its quads, (n,) int."""
    part = np.zeros(len(bust.vertices), np.int64)
    part[bust.quads] = bust.parts[:, None]
    return part


def hairline(azimuth: np.ndarray) -> np.ndarray:
    """Give the height of the hairline, m, at an azimuth around the skull, rad from the front."""
    return np.interp(np.abs(np.degrees(azimuth)), HAIRLINE_DEG, HAIRLINE_M)


def place(bust: Bust) -> np.ndarray:
    """Give each vertex the place that textures are drawn at, (n, 3) float64.

    Eyes: the direction from their centre. All else: the canonical position, dm.
    """
    places = (bust.vertices - CANONICAL_ORIGIN) * 10
    part = vertex_parts(bust)
    for eye in (EYE_LEFT, EYE_RIGHT):
        ball = part == eye
        offset = bust.vertices[ball] - eye_centre(bust, eye)
        places[ball] = offset / np.linalg.norm(offset, axis=1, keepdims=True)
    return places


def eye_centre(bust: Bust, eye: int) -> np.ndarray:
    """Find the middle of an eyeball's extent, (3,) m."""
    ball = bust.vertices[vertex_parts(bust) == eye]
    return (ball.max(axis=0) + ball.min(axis=0)) / 2


def lashes(bust: Bust) -> tuple[np.ndarray, np.ndarray]:
    """Give each lash vertex its place across the lashes and from root (0) to tip (1).

    Lashes are told apart by the first number: lower ones lie below 100, upper ones above.
    """
    is_lash = vertex_parts(bust) == LASHES
    across, along = np.zeros(len(is_lash)), np.zeros(len(is_lash))
    upper = np.isin(np.arange(len(is_lash)), bust.quads[bust.upper_lashes])
    for eye, side in ((EYE_LEFT, 1), (EYE_RIGHT, -1)):
        here = is_lash & (np.sign(bust.vertices[:, 0]) == side)
        reach = np.linalg.norm(bust.vertices[here] - eye_centre(bust, eye), axis=1) - LASH_ROOT_M
        along[here] = np.clip(reach / reach.max(), 0, 1)
        across[here] = np.abs(bust.vertices[here, 0]) * 1000 + 100 * upper[here]
    return across, along


def _blob(x: np.ndarray, y: np.ndarray, centre: tuple, size: tuple) -> np.ndarray:
    return np.exp(-(((x - centre[0]) / size[0]) ** 2) - ((y - centre[1]) / size[1]) ** 2)


def _draw_skin(
    x: np.ndarray, y: np.ndarray, outside: np.ndarray, ears: np.ndarray, lids: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw where skin is flushed, shadowed (under the eyes, by their inner corner) and oily."""
    cheeks = 0.9 * _blob(x, y, (0.043, 0.694), (0.020, 0.018))
    nose_tip = 0.9 * _blob(x, y, (0, 0.689), (0.013, 0.012))
    chin = 0.35 * _blob(x, y, (0, 0.632), (0.018, 0.012))
    brow = 0.25 * _blob(x, y, (0, 0.76), (0.05, 0.02))
    under_eye = _blob(x, y, (0.029, 0.7155), (0.014, 0.0065))
    inner_eye = 0.5 * _blob(x, y, (0.018, 0.724), (0.005, 0.010))
    upper_lid = 0.35 * _blob(x, y, (0.031, 0.739), (0.014, 0.006))
    forehead = _blob(x, y, (0, 0.78), (0.035, 0.03))
    nose = _blob(x, y, (0, 0.70), (0.012, 0.03))
    cheekbone = 0.6 * _blob(x, y, (0.042, 0.705), (0.014, 0.014))
    return {
        "red": outside * (cheeks + nose_tip + chin + brow) + 0.8 * ears + 0.35 * lids,
        "dark": outside * (under_eye + inner_eye + upper_lid),
        "oil": outside * np.clip(forehead + nose + cheekbone + chin, 0, 1),
    }


def _draw_beard(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, bare: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw where a full beard, a moustache and a goatee grow on the skin outside the lips."""
    top = np.interp(x, BEARD_ACROSS_M, BEARD_TOP_M)
    below_cheek = 1 - smoothstep(-0.006, 0.004, y - top)
    above_throat = smoothstep(0.590, 0.612, y + 0.25 * np.clip(0.10 - z, 0, 1))
    grown = below_cheek * above_throat * smoothstep(0.045, 0.062, z) * bare
    philtrum = 0.6 * np.exp(-((x / 0.003) ** 2)) * smoothstep(0.672, 0.676, y)
    mouth_corner = 0.4 * _blob(x, y, (0.030, 0.661), (0.006, 0.008))
    nose = smoothstep(0.1575, 0.1585, z) * (y > 0.676)
    beard = np.clip(grown * (1 - philtrum) * (1 - mouth_corner) * (1 - nose), 0, 1)
    moustache = beard * _blob(x, y, (0, 0.679), (0.034, 0.012)) * (z > 0.12)
    chin = _blob(x, y, (0, 0.632), (0.022, 0.02))
    around_mouth = 0.8 * np.exp(-(((x - 0.03) / 0.006) ** 2)) * ((y < 0.68) & (y > 0.63))
    goatee = beard * np.clip(chin + 1.1 * moustache + around_mouth, 0, 1)
    return {"beard": beard, "moustache": moustache, "goatee": goatee}


def _read_mask(textures: Path, name: str, blur: float, uv: np.ndarray) -> np.ndarray:
    """Look a grey mask up at texture coordinates, (n,) in 0 to 1, between texels linearly."""
    with Image.open(textures / f"mpfb_{name}.jpg") as image:
        mask = gaussian_filter(np.asarray(image.convert("L"), float) / 255, blur)
    place = np.stack([1 - uv[:, 1], uv[:, 0]]) * len(mask) - 0.5
    place = np.clip(place, 0, len(mask) - 2)
    row, column = place.astype(int)
    down, right = place - place.astype(int)
    top = mask[row, column] * (1 - right) + mask[row, column + 1] * right
    bottom = mask[row + 1, column] * (1 - right) + mask[row + 1, column + 1] * right
    return top * (1 - down) + bottom * down
