"""Arithmetic of three numbers, and the few curves that shading is made of.

A vector or a colour is a tuple of three floats: the compiler keeps it in
registers.
"""

import math

from facelab_data.rendering.compiled import inline


@inline
def dot(a: tuple, b: tuple) -> float:
    """Multiply two vectors."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inline
def scaled(a: tuple, k: float) -> tuple:
    """Stretch a vector by `k`."""
    return (a[0] * k, a[1] * k, a[2] * k)


@inline
def added(a: tuple, b: tuple, k: float) -> tuple:
    """Add `k` times `b` to `a`."""
    return (a[0] + b[0] * k, a[1] + b[1] * k, a[2] + b[2] * k)


@inline
def times(a: tuple, b: tuple) -> tuple:
    """Multiply two colours channel by channel."""
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


@inline
def mixed(a: tuple, b: tuple, k: float) -> tuple:
    """Go from `a` (k = 0) to `b` (k = 1)."""
    return (a[0] + (b[0] - a[0]) * k, a[1] + (b[1] - a[1]) * k, a[2] + (b[2] - a[2]) * k)


@inline
def normalised(a: tuple) -> tuple:
    """Give a vector unit length; the null vector stays null."""
    return scaled(a, 1.0 / math.sqrt(dot(a, a) + 1e-20))


@inline
def clamped(x: float) -> float:
    """Hold a number between 0 and 1."""
    return min(max(x, 0.0), 1.0)


@inline
def smoothstep(low: float, high: float, x: float) -> float:
    """Rise from 0 at `low` to 1 at `high`, flat at both ends."""
    t = clamped((x - low) / (high - low))
    return t * t * (3.0 - 2.0 * t)


@inline
def decay(x: float) -> float:
    """Approximate exp(-x) for x >= 0: to 6e-5 of itself up to 2, to 3 % at 8."""
    y = x * 0.125
    p = 1.0 + y * (1.0 + y * (0.5 + y * (1.0 / 6.0 + y * (1.0 / 24.0))))
    p = p * p
    p = p * p
    return 1.0 / (p * p)
