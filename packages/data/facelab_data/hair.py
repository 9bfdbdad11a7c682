"""Growing hair: a shell of strands around the skull, fitted to each identity.

Strands start at the crown, run down the scalp in all directions and end at the hairline,
or fall on from there. J strands of ROWS points each make one closed sheet, lifted off the
scalp by the thickness of the hair.
"""

import math
from typing import NamedTuple

import numpy as np

from facelab_data import easing
from facelab_data.hairstyles import Style
from facelab_data.morphable import FaceModel
from facelab_data.rendering import noise
from facelab_data.rendering.compiled import inline, kernel
from facelab_data.rendering.vectors import added, dot, normalised, smoothstep

ROWS = 22
POLAR_STEP_M = 0.0062  # along the scalp, from one root to the next
CROWN_POLARS, EQUATOR_POLAR = 12, 20
UNEVEN = 1.6  # how much locks differ in where they end, in roots
LAST_POLAR = 24.5  # where falling hair leaves the head: at the height of the ears
MIDDLE_M = 0.075  # from the crown down to the point that hair stands away from
BALL_M = 0.078  # radius of a ball of hair, without the hair
LATTICE = noise.table(99)
GRID = 2.0**18  # vertices are rounded to 1/GRID m, so that a machine's sine cannot show


class Shell(NamedTuple):
    """The hair of one identity: H = J * ROWS vertices.

    Attributes
    ----------
    vertices : (H, 3) float32, m
    tangents : (H, 3) float32, along the strands
    across, along : (H,) float32, place around the head and from root (0) to tip (1)
    occlusion, pose_weight : (H,) float32
    """

    vertices: np.ndarray
    tangents: np.ndarray
    across: np.ndarray
    along: np.ndarray
    occlusion: np.ndarray
    pose_weight: np.ndarray


class Strands(NamedTuple):
    """What differs from strand to strand, each (J,) float64."""

    cosine: np.ndarray
    sine: np.ndarray
    end: np.ndarray  # index of the root at which the strand leaves the scalp
    fall: np.ndarray  # m beyond that
    thickness: np.ndarray  # at the end, m
    forward: np.ndarray  # long hair: 1 falls before the shoulder, -1 behind, 0 straight


def triangles(model: FaceModel) -> np.ndarray:
    """List the shell's triangles, (f, 3) int32, counted from its own first vertex."""
    strands = len(model.root_azimuth)
    j, t = np.meshgrid(np.arange(strands), np.arange(ROWS - 1), indexing="ij")
    here, beside = (j * ROWS + t).ravel(), ((j + 1) % strands * ROWS + t).ravel()
    return np.concatenate(
        [
            np.stack([here, beside + 1, beside], axis=1),
            np.stack([here, here + 1, beside + 1], axis=1),
        ]
    ).astype(np.int32)


def grow(
    model: FaceModel, head: np.ndarray, style: Style, recession: np.ndarray, seed: np.ndarray
) -> Shell:
    """Grow hair on a head.

    Parameters
    ----------
    head : (n, 3) float32
        The identity's neutral vertices.
    style : Style
        With the identity's own length and volume; no thickness, no hair.
    recession : (J,) float64
        How far the hairline lies above the usual one, m.
    seed : (3,) float64
        Where in the noise the locks of this identity are found.
    """
    azimuth, rows = model.root_azimuth, np.linspace(0, 1, ROWS)
    across = np.repeat((np.arange(len(azimuth)) + 0.5) / len(azimuth), ROWS)
    along = np.tile(rows, len(azimuth))
    grown = np.zeros((len(azimuth) * ROWS, 8))
    if style.top > 0:
        corners = head[model.root_vertices] * model.root_weights[..., None]
        first, second, third = (corners[:, :, k] for k in range(3))
        roots = (first + second + third).astype(np.float64)
        strands = _lay(model, style, recession, seed)
        _grow(strands, style, roots, (seed, LATTICE), grown)
        grown = np.rint(grown * GRID) / GRID
    else:
        grown[:, :3] = head[model.root_vertices[0, 0, 0]]
        grown[:, 7] = 1
    grown = grown.astype(np.float32)
    return Shell(
        grown[:, :3], grown[:, 3:6], across.astype(np.float32), along.astype(np.float32),
        grown[:, 6], grown[:, 7],
    )  # fmt: skip


def _lay(model: FaceModel, style: Style, recession: np.ndarray, seed: np.ndarray) -> Strands:
    """Decide for each strand how thick it is, where it ends and how far it falls."""
    signed = model.root_azimuth.astype(np.float64)
    azimuth = np.abs(signed)
    front, back = easing.smoothstep(1.25, 0.55, azimuth), easing.smoothstep(1.75, 2.5, azimuth)
    thickness = style.front * front + style.back * back + style.side * (1 - front - back)
    thickness *= 1 + style.parting * front * np.tanh(3 * np.sin(signed - 0.45))
    swept = style.parting * np.clip(np.sin(signed), 0, 1) * easing.smoothstep(1.1, 0.5, azimuth)
    beyond = 0.035 * swept + style.fringe * easing.smoothstep(0.95, 0.55, azimuth)
    beyond = beyond + style.over_ear * np.exp(-(((azimuth - 1.6) / 0.45) ** 2)) - recession
    circle = [8 * np.cos(signed) + seed[0], 8 * np.sin(signed), np.full(len(signed), seed[1])]
    uneven = noise.values(LATTICE, np.stack(circle, axis=1))
    end = model.root_end + beyond / POLAR_STEP_M + UNEVEN * (uneven - 0.75)
    opening = math.radians(style.opening_deg)
    falling = (
        easing.smoothstep(opening - 0.10, opening + 0.16, azimuth) if style.fall else 0 * azimuth
    )
    end += (LAST_POLAR - end) * falling
    layered = (
        0.72 + 0.28 * easing.smoothstep(opening, opening + 0.9, azimuth) + 0.06 * (uneven - 0.5)
    )
    side = np.where(azimuth < 1.75, 1.0, -1.0) * (azimuth < 2.6)
    return Strands(
        np.cos(signed), np.sin(signed), end, style.fall * falling * layered, thickness, side
    )


@kernel
def _grow(
    strands: Strands, style: Style, roots: np.ndarray, noise_at: tuple, out: np.ndarray
) -> None:
    """Fill out (J * ROWS, 8): vertex, tangent, occlusion, pose weight.

    `noise_at` = (seed, lattice).
    """
    scene = (*noise_at, roots, _middle(roots))
    for j in range(roots.shape[0]):
        first = j * ROWS
        for t in range(ROWS):
            _lift(strands, style, scene, (j, t / (ROWS - 1.0)), out[first + t])
        for t in range(ROWS):
            before, after = first + max(t - 1, 0), first + min(t + 1, ROWS - 1)
            for axis in range(3):
                out[first + t, 3 + axis] = out[after, axis] - out[before, axis]


@inline
def _middle(roots: np.ndarray) -> tuple:
    """Find the point that hair stands away from."""
    x, y, z = 0.0, 0.0, 0.0
    n = roots.shape[0]
    for j in range(n):
        z += roots[j, EQUATOR_POLAR, 2] / n
        for k in range(CROWN_POLARS):
            x += roots[j, k, 0] / (n * CROWN_POLARS)
            y += roots[j, k, 1] / (n * CROWN_POLARS)
    return (x, y - MIDDLE_M, z)


@inline
def _lift(strands: Strands, style: Style, scene: tuple, place: tuple, out: np.ndarray) -> None:
    """Set one point; `scene` = (seed, lattice, roots, middle), `place` = (strand, 0 to 1)."""
    j, row = place
    scalp = POLAR_STEP_M * strands.end[j]
    arc = (scalp + strands.fall[j]) * row
    fallen, share = max(arc - scalp, 0.0), min(arc / scalp, 1.0)
    x, y, z = _root(scene[2], j, min(arc, scalp) / POLAR_STEP_M)
    middle = scene[3]
    away = (x - middle[0], y - middle[1], z - middle[2])
    normal = normalised(away)
    wide, lock = _locks(strands, style, scene, j, (share, fallen))
    top = smoothstep(1.0, 0.15, share)
    thick = strands.thickness[j] + (style.top - strands.thickness[j]) * 0.9 * top
    thick = _tousled(thick, style.curl, share, wide, lock)
    ball = BALL_M + style.top * (1.0 + 0.12 * (wide - 0.5)) + 0.006 * (lock - 0.5)
    thick += (max(ball - math.sqrt(dot(away, away)), 0.4 * thick) - thick) * style.round
    if strands.fall[j] < 1e-4:
        thick *= math.sqrt(max(0.0, 1.0 - share * share * share * share))
    x, y, z = added((x, y, z), normal, thick + 0.0012)
    if fallen > 0.0:
        gone = fallen / strands.fall[j]
        flat = normalised((normal[0], 0.0, normal[2]))
        x, y, z = added((x, y - fallen, z), flat, _swing(style, fallen, gone, wide, lock))
        z += max(fallen - 0.12, 0.0) * 0.35 * strands.forward[j]
    out[0], out[1], out[2] = x, y, z
    light = 0.55 + 0.8 * (wide - 0.5) + 0.7 * (lock - 0.5) + 0.25 * top
    out[6] = min(max(light, 0.15), 1.0) * (1.0 - 0.35 * smoothstep(0.0, 0.12, fallen))
    out[7] = smoothstep(-0.228, -0.108, y) if fallen > 0.02 else 1.0


@inline
def _root(roots: np.ndarray, j: int, polar: float) -> tuple:
    """Interpolate along the roots of a strand."""
    polar = min(max(polar, 0.0), roots.shape[1] - 1.001)
    k = int(polar)
    f = polar - k
    return (
        roots[j, k, 0] + (roots[j, k + 1, 0] - roots[j, k, 0]) * f,
        roots[j, k, 1] + (roots[j, k + 1, 1] - roots[j, k, 1]) * f,
        roots[j, k, 2] + (roots[j, k + 1, 2] - roots[j, k, 2]) * f,
    )


@inline
def _locks(strands: Strands, style: Style, scene: tuple, j: int, down: tuple) -> tuple:
    """Draw the swell of the hair and its locks, both 0 to 1; `down` = (on the scalp, fallen)."""
    seed, lattice, _, _ = scene
    c, s = strands.cosine[j], strands.sine[j]
    curl = style.curl
    share, fallen = down
    swell, fine = 3.0 + 3.0 * curl, 6.0
    fine_along = share * (1.5 + 8 * curl) + fallen * (6 + 40 * curl)
    wide = noise.value(
        lattice, c * swell + seed[0], s * swell + seed[1], share * (2 + 6 * curl) + fallen * 25
    )
    lock = noise.value(lattice, c * fine + seed[1], s * fine + seed[2], fine_along)
    return wide, lock


@inline
def _tousled(thick: float, curl: float, share: float, wide: float, lock: float) -> float:
    """Swell and part into locks: curly hair everywhere, straight hair towards its ends."""
    rough = min(1.0, 0.022 / max(thick, 1e-4))
    parted = (0.30 + 0.30 * share) * (1 - curl) + 0.9 * curl
    return thick * (1.0 + rough * ((0.35 + 0.25 * curl) * (wide - 0.5) + parted * (lock - 0.5)))


@inline
def _swing(style: Style, fallen: float, gone: float, wide: float, lock: float) -> float:
    """How far falling hair moves away from the neck, m; `gone` runs to 1 at the ends."""
    inward = -0.22 if style.fall < 0.15 else -0.05
    bend = style.flare * fallen + inward * max(fallen - 0.06, 0.0) + 0.04 * gone * (1.0 - gone)
    return bend + gone * ((0.008 + 0.008 * style.curl) * (lock - 0.5) + 0.012 * (wide - 0.5))
