"""Randomness that is a function of the place: the same pore at the same spot, whatever the pose."""

import math

import numpy as np

from facelab_data.rendering.compiled import inline, kernel

PERIOD = 32  # cells after which the noise repeats; a power of two


def table(seed: int = 1234) -> np.ndarray:
    """Draw the (PERIOD, PERIOD, PERIOD) float32 lattice that `value` interpolates."""
    return np.random.default_rng(seed).random((PERIOD,) * 3, dtype=np.float32)


@inline
def value(lattice: np.ndarray, x: float, y: float, z: float) -> float:
    """Interpolate smoothly between the random numbers of a cubic lattice of unit cells."""
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    i, j, k = int(fx) & 31, int(fy) & 31, int(fz) & 31
    i1, j1, k1 = (i + 1) & 31, (j + 1) & 31, (k + 1) & 31
    x, y, z = x - fx, y - fy, z - fz
    x, y, z = x * x * (3.0 - 2.0 * x), y * y * (3.0 - 2.0 * y), z * z * (3.0 - 2.0 * z)
    a = lattice[i, j, k] + (lattice[i, j, k1] - lattice[i, j, k]) * z
    b = lattice[i, j1, k] + (lattice[i, j1, k1] - lattice[i, j1, k]) * z
    c = lattice[i1, j, k] + (lattice[i1, j, k1] - lattice[i1, j, k]) * z
    d = lattice[i1, j1, k] + (lattice[i1, j1, k1] - lattice[i1, j1, k]) * z
    a += (b - a) * y
    c += (d - c) * y
    return a + (c - a) * x


@inline
def plane(lattice: np.ndarray, x: float, y: float, layer: int) -> float:
    """Interpolate smoothly within one layer of the lattice: noise of two dimensions."""
    fx, fy = math.floor(x), math.floor(y)
    i, j = int(fx) & 31, int(fy) & 31
    i1, j1 = (i + 1) & 31, (j + 1) & 31
    x, y = x - fx, y - fy
    x, y = x * x * (3.0 - 2.0 * x), y * y * (3.0 - 2.0 * y)
    a = lattice[layer, i, j] + (lattice[layer, i, j1] - lattice[layer, i, j]) * y
    b = lattice[layer, i1, j] + (lattice[layer, i1, j1] - lattice[layer, i1, j]) * y
    return a + (b - a) * x


@inline
def scatter(n: int) -> float:
    """Give the whole number `n` its own random number between 0 and 1 (PCG output hash)."""
    h = (n * 747796405 + 2891336453) & 0xFFFFFFFF
    h = (((h >> ((h >> 28) + 4)) ^ h) * 277803737) & 0xFFFFFFFF
    h = (h >> 22) ^ h
    return (h & 0xFFFFFF) / 16777216.0


@inline
def line(x: float, layer: int) -> float:
    """Interpolate smoothly between the random numbers of whole `x`: noise of one dimension."""
    fx = math.floor(x)
    i = int(fx) + layer * 7919
    x -= fx
    a = scatter(i)
    return a + (scatter(i + 1) - a) * x * x * (3.0 - 2.0 * x)


def values(lattice: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Evaluate the noise at (N, 3) points; returns (N,) float32."""
    out = np.empty(len(points), np.float32)
    _fill(lattice, points, out)
    return out


@kernel
def _fill(lattice: np.ndarray, points: np.ndarray, out: np.ndarray) -> None:
    for n in range(points.shape[0]):
        out[n] = value(lattice, points[n, 0], points[n, 1], points[n, 2])
