"""What the key light cannot see.

The head is rastered a second time as the light sees it, without perspective;
a point is in shadow when something lies nearer to the light. The look-up averages
over a neighbourhood, so that shadows are soft.
"""

import math
from typing import NamedTuple

import numpy as np

from facelab_data.rendering.compiled import inline, kernel
from facelab_data.rendering.vectors import added, dot

OFFSET = 1.0  # m, keeps nearness to the light positive: the z-buffer starts at 0
LIFT = 0.0035  # m along the normal, so that a surface does not shade itself
SLACK = 0.0015  # m


class Frame(NamedTuple):
    """How the light sees the head: three axes, and what its square picture spans."""

    right: tuple
    up: tuple
    towards: tuple  # the light
    centre: tuple
    extent: float  # m, half a side


def frame(direction: tuple, centre: tuple, extent: float) -> Frame:
    """Build the light's frame around a centre.

    The frame turns smoothly with the light but where that stands at the zenith.
    """
    towards = np.asarray(direction, float)
    pole = np.array([0.0, 1.0, 0.0]) if abs(towards[1]) < 0.95 else np.array([0.0, 0.0, -1.0])
    right = _cross(pole, towards)
    right /= np.sqrt(right @ right)
    up = _cross(towards, right)
    axes = (tuple(float(x) for x in axis) for axis in (right, up, towards))
    return Frame(*axes, tuple(float(x) for x in centre), float(extent))


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Give the cross product of two vectors, sparing numpy's care for all other shapes."""
    return np.array(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )


@inline
def seen_by_light(point: tuple, of: Frame, size: int) -> tuple:
    """Give column, row and nearness of a point in the light's picture."""
    p = added(point, of.centre, -1.0)
    k = size / (2.0 * of.extent)
    column = (dot(of.right, p) + of.extent) * k
    row = (of.extent - dot(of.up, p)) * k
    return column, row, dot(of.towards, p) + OFFSET


@kernel
def project_to_light(vertices: np.ndarray, of: Frame, size: int, out: np.ndarray) -> None:
    """Place (V, 3) vertices in the light's picture of `size` samples a side; out (V, 3)."""
    for i in range(vertices.shape[0]):
        point = (float(vertices[i, 0]), float(vertices[i, 1]), float(vertices[i, 2]))
        out[i, 0], out[i, 1], out[i, 2] = seen_by_light(point, of, size)


@inline
def is_inside(place: float, size: int) -> bool:
    """Tell whether a column or row is one of the light's picture."""
    return place >= 0.0 and place < size


@inline
def passing(nearness: np.ndarray, column: int, row: int, near: float) -> float:
    """Say how much light passes at one place within the light's picture."""
    behind = nearness[row, column] - near
    return min(1.0, max(0.0, 1.0 - behind * 400.0))


@inline
def nearest(nearness: np.ndarray, columns: tuple, rows: tuple) -> float:
    """Find what lies nearest to the light at 4 x 4 places within its picture."""
    most = np.float32(0.0)
    for row in rows:
        j = int(row)
        first = max(nearness[j, columns[0]], nearness[j, columns[1]])
        second = max(nearness[j, columns[2]], nearness[j, columns[3]])
        most = max(most, first, second)
    return most


@inline
def within(nearness: np.ndarray, columns: tuple, row: float, near: float, share: float) -> float:
    """Add up a row of 4 taps, all of them in the light's picture, the outer ones in part."""
    j = int(row)
    total = (1.0 - share) * passing(nearness, columns[0], j, near)
    total += passing(nearness, columns[1], j, near)
    total += passing(nearness, columns[2], j, near)
    return total + share * passing(nearness, columns[3], j, near)


@inline
def across(nearness: np.ndarray, columns: tuple, row: float, near: float, share: float) -> float:
    """Add up a row of 4 taps, the outer ones in part; all light passes outside the picture."""
    size = nearness.shape[0]
    if not is_inside(row, size):
        return 3.0
    total = 0.0
    weights = (1.0 - share, 1.0, 1.0, share)
    for i in range(4):
        column = columns[i]
        inside = is_inside(column, size)
        through = passing(nearness, int(column), int(row), near) if inside else 1.0
        total += weights[i] * through
    return total


@inline
def lit(nearness: np.ndarray, of: Frame, point: tuple, normal: tuple, softness: float) -> float:
    """Average the light over 4 x 4 taps around a point, 0 in full shadow to 1.

    The outer taps fade in and out, so that the average moves smoothly with the point.
    """
    size = nearness.shape[0]
    column, row, near = seen_by_light(added(point, normal, LIFT), of, size)
    near += SLACK
    step = softness * size / (2.0 * of.extent)
    first_x, first_y = math.floor(column / step - 0.5), math.floor(row / step - 0.5)
    fx, fy = column / step - 0.5 - first_x, row / step - 0.5 - first_y
    left, top = (first_x - 0.5) * step, (first_y - 0.5) * step
    columns = (left, left + step, left + 2.0 * step, left + 3.0 * step)
    rows = (top, top + step, top + 2.0 * step, top + 3.0 * step)
    if left >= 0.0 and top >= 0.0 and columns[3] < size and rows[3] < size:
        # nearly always, and three times as fast without a look at every tap
        places = (int(columns[0]), int(columns[1]), int(columns[2]), int(columns[3]))
        if nearest(nearness, places, rows) <= near:
            one = 1.0 - fx + 1.0 + 1.0 + fx
            return ((1.0 - fy) * one + one + one + fy * one) / 9.0
        total = (1.0 - fy) * within(nearness, places, rows[0], near, fx)
        total += within(nearness, places, rows[1], near, fx)
        total += within(nearness, places, rows[2], near, fx)
        return (total + fy * within(nearness, places, rows[3], near, fx)) / 9.0
    total = (1.0 - fy) * across(nearness, columns, rows[0], near, fx)
    total += across(nearness, columns, rows[1], near, fx)
    total += across(nearness, columns, rows[2], near, fx)
    total += fy * across(nearness, columns, rows[3], near, fx)
    return total / 9.0
