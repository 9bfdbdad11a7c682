"""Wrinkles, as a map of heights over the front of the face.

Four groups of grooves (forehead, around the eyes, around the mouth, between the
brows) are drawn once; a face and its expression say how deep each group is. The
map's slope tilts the normal.
"""

from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter

from facelab_data.rendering.compiled import inline, kernel
from facelab_data.rendering.noise import plane
from facelab_data.rendering.vectors import added, dot, normalised, smoothstep

GROUPS = ("forehead", "eyes", "mouth", "glabella")
STEP = 0.0075  # dm between the map's points
LEFT, TOP, WIDTH, HEIGHT = -0.95, 0.95, 254, 281  # canonical dm; points
DEPTH = 0.012  # dm, of a groove of amplitude 1

# Centre lines of the grooves at the side of the face (they are mirrored): x, y, width, depth.
EYES = (
    ((0.17, 0.26, 0.36, 0.43), (0.095, 0.045, 0.055, 0.10), 0.014, 0.7),
    ((0.19, 0.28, 0.38, 0.45), (0.055, 0.0, 0.01, 0.05), 0.016, 0.4),
)
MOUTH = (
    ((0.185, 0.255, 0.325, 0.365), (-0.165, -0.26, -0.37, -0.50), 0.034, 1.0),
    ((0.285, 0.32, 0.33), (-0.525, -0.61, -0.70), 0.024, 0.6),
    ((0.06, 0.16, 0.26), (-0.69, -0.70, -0.66), 0.02, 0.2),
)
GLABELLA = (
    ((0.045, 0.05, 0.06), (0.30, 0.38, 0.47), 0.014, 1.0),
    ((0.0, 0.04, 0.09), (0.275, 0.272, 0.25), 0.012, 0.6),
)


def _groove(xs: tuple, ys: tuple, width: float, depth: float) -> np.ndarray:
    """Carve along a line of points; shallow at both ends."""
    x, y = np.abs(_columns()), _rows()
    nearest, along = np.full((HEIGHT, WIDTH), np.inf), np.zeros((HEIGHT, WIDTH))
    for i in range(len(xs) - 1):
        ex, ey = xs[i + 1] - xs[i], ys[i + 1] - ys[i]
        t = np.clip(((x - xs[i]) * ex + (y - ys[i]) * ey) / (ex * ex + ey * ey), 0, 1)
        distance = np.hypot(x - xs[i] - t * ex, y - ys[i] - t * ey)
        along = np.where(distance < nearest, (i + t) / (len(xs) - 1), along)
        nearest = np.minimum(nearest, distance)
    profile = np.sqrt(np.sin(np.pi * np.clip(along, 0.04, 0.96)))
    return -depth * profile * np.exp(-((nearest / width) ** 2))


def _columns() -> np.ndarray:
    return (LEFT + STEP * np.arange(WIDTH))[None, :]


def _rows() -> np.ndarray:
    return (TOP - STEP * np.arange(HEIGHT))[:, None]


def _forehead() -> np.ndarray:
    x, y = _columns(), _rows()
    height = np.zeros((HEIGHT, WIDTH))
    for k, level in enumerate((0.58, 0.66, 0.74, 0.81)):
        wave = 0.012 * np.sin(9 * x + 2.1 * k) + 0.02 * np.cos(4.5 * x + k)
        envelope = np.exp(-((x / (0.42 - 0.05 * k)) ** 4))
        height -= (1 - 0.12 * k) * envelope * np.exp(-(((y - level - wave) / 0.016) ** 2))
    return height


def _crows_feet() -> np.ndarray:
    reach = 0.16 * np.array([0.15, 0.6, 1.0])
    return sum(
        _groove(0.475 + reach * np.cos(angle), 0.185 + reach * np.sin(angle), 0.012, 0.7)
        for angle in (-0.55, -0.2, 0.15, 0.48)
    )


@cache
def grooves() -> np.ndarray:
    """Draw the map: (groups, HEIGHT, WIDTH, 3) float32 with slopes in x and y, and height."""
    heights = (
        _forehead(),
        _crows_feet() + sum(_groove(*line) for line in EYES),
        sum(_groove(*line) for line in MOUTH),
        sum(_groove(*line) for line in GLABELLA),
    )
    layers = []
    for height in heights:
        smooth = gaussian_filter(height, 0.8)
        slope_x = DEPTH * np.gradient(smooth, STEP, axis=1)
        slope_y = -DEPTH * np.gradient(smooth, STEP, axis=0)
        layers.append(np.stack([slope_x, slope_y, smooth], axis=-1))
    return np.stack(layers).astype(np.float32)


@cache
def extents() -> np.ndarray:
    """Find where in its flattened layer each group's grooves begin and end, (groups, 2) int64."""
    carved = [np.flatnonzero(layer) for layer in grooves()]
    return np.array([(places[0], places[-1] + 1) for places in carved])


@kernel
def engrave(
    layers: np.ndarray, extents: np.ndarray, amplitudes: np.ndarray, out: np.ndarray
) -> None:
    """Add the groups up, each with its amplitude: layers (groups, N), out (N,)."""
    out[:] = 0.0
    for g in range(layers.shape[0]):
        deep = np.float32(amplitudes[g])
        if deep > 0.01:
            first, last = extents[g, 0], extents[g, 1]
            carved, grown = layers[g, first:last], out[first:last]
            for i in range(grown.shape[0]):
                grown[i] += carved[i] * deep


@inline
def relief(place: tuple, wrinkles: np.ndarray, lattice: np.ndarray, seed: float) -> tuple:
    """Look up slope in x and y, and height, at a canonical place.

    Noise moves the look-up a little, so that no two faces share their lines.
    """
    x, y, z = place
    if z < 0.05:
        return 0.0, 0.0, 0.0
    x += 0.06 * (plane(lattice, x * 5.0 + seed, y * 5.0, 7) - 0.5)
    y += 0.10 * (plane(lattice, x * 5.0 + 9.0, y * 5.0 + seed, 1) - 0.5)
    u, v = (x - LEFT) / STEP, (TOP - y) / STEP
    if u < 0.0 or v < 0.0 or u >= WIDTH - 1 or v >= HEIGHT - 1:
        return 0.0, 0.0, 0.0
    i, j = int(v), int(u)
    fv, fu = v - i, u - j
    a, b = (1.0 - fv) * (1.0 - fu), (1.0 - fv) * fu
    c, d = fv * (1.0 - fu), fv * fu
    k = smoothstep(0.05, 0.3, z)
    w = wrinkles
    return (
        k * (w[i, j, 0] * a + w[i, j + 1, 0] * b + w[i + 1, j, 0] * c + w[i + 1, j + 1, 0] * d),
        k * (w[i, j, 1] * a + w[i, j + 1, 1] * b + w[i + 1, j, 1] * c + w[i + 1, j + 1, 1] * d),
        k * (w[i, j, 2] * a + w[i, j + 1, 2] * b + w[i + 1, j, 2] * c + w[i + 1, j + 1, 2] * d),
    )


@inline
def tilted(normal: tuple, slope: tuple) -> tuple:
    """Tilt a normal against a slope that is given in the head's turned axes."""
    along = added(slope, normal, -dot(slope, normal))
    return normalised(added(normal, along, -1.0))
