"""Growing hair: a shell of strands around the skull, fitted to each identity.

Strands start at the crown, run down the scalp in all directions and end at the hairline,
or fall on from there. J strands of ROWS points each make one closed sheet, lifted off the
scalp by the thickness of the hair.
"""

import math
from typing import NamedTuple

import numpy as np

from facelab_data.hairstyles import Style
from facelab_data.morphable import FaceModel
from facelab_data.rendering import noise
from facelab_data.rendering.compiled import inline, kernel
from facelab_data.rendering.vectors import added, dot, normalised, smoothstep
from facelab_data.strands import LATTICE, POLAR_STEP_M, ROWS, Strands, lay, look_round

CROWN_POLARS, EQUATOR_POLAR = 12, 20
MIDDLE_M = 0.075  # from the crown down to the point that hair stands away from
BALL_M = 0.078  # radius of a ball of hair, without the hair
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
    around = look_round(model)
    grown = np.zeros((len(around.across), 8), np.float32)
    if style.top > 0:
        roots = np.empty((*model.root_vertices.shape[:2], 3))
        _plant(head, model.root_vertices, model.root_weights, roots)
        strands = lay(model, style, recession, seed)
        points = np.empty(grown.shape)
        _grow(strands, style, roots, (seed, LATTICE), points)
        _settle(points, grown)
    else:
        grown[:, :3] = head[model.root_vertices[0, 0, 0]]
        grown[:, 7] = 1
    return Shell(grown[:, :3], grown[:, 3:6], around.across, around.along, grown[:, 6], grown[:, 7])


@kernel
def _plant(head: np.ndarray, vertices: np.ndarray, weights: np.ndarray, out: np.ndarray) -> None:
    """Find the (J, P, 3) roots on a head, each between the three vertices about it."""
    for j in range(out.shape[0]):
        for p in range(out.shape[1]):
            a, b, c = vertices[j, p]
            u, v, w = weights[j, p]
            for axis in range(3):
                out[j, p, axis] = head[a, axis] * u + head[b, axis] * v + head[c, axis] * w


@kernel
def _settle(points: np.ndarray, out: np.ndarray) -> None:
    """Round to multiples of 1 / GRID; out float32."""
    for i in range(points.shape[0]):
        for k in range(points.shape[1]):
            out[i, k] = np.rint(points[i, k] * GRID) / GRID


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
