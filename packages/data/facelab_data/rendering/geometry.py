"""Where things are: the pose of the head, its normals, and their place in the image.

A turn is a unit quaternion (w, x, y, z). Angles follow the right hand: x pitches
the face down, y turns it to the right of the image, z rolls it counter-clockwise.
The head rolls first, then pitches, then yaws.
"""

import math
from typing import NamedTuple

import numpy as np

from facelab_data.rendering.compiled import inline, kernel
from facelab_data.rendering.scene import Camera


class Turn(NamedTuple):
    """A rotation as unit quaternion."""

    w: float
    x: float
    y: float
    z: float


def turn(x_deg: float, y_deg: float, z_deg: float) -> Turn:
    """Compose roll (z), then pitch (x), then yaw (y)."""
    turns = []
    for axis, angle_deg in ((2, y_deg), (1, x_deg), (3, z_deg)):
        half = math.radians(angle_deg) / 2
        # rounded, as mathematical libraries differ in the last digit
        quaternion = [round(math.cos(half), 12), 0.0, 0.0, 0.0]
        quaternion[axis] = round(math.sin(half), 12)
        turns.append(Turn(*quaternion))
    yaw, pitch, roll = turns
    return _product(_product(yaw, pitch), roll)


def _product(a: Turn, b: Turn) -> Turn:
    return Turn(
        a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
        a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
        a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
        a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
    )


@inline
def part_way(full: Turn, share: float) -> Turn:
    """Take a share (0 to 1) of a turn, by normalised linear interpolation."""
    w = 1.0 + (full.w - 1.0) * share
    x, y, z = full.x * share, full.y * share, full.z * share
    k = 1.0 / math.sqrt(w * w + x * x + y * y + z * z)
    return Turn(w * k, x * k, y * k, z * k)


@inline
def rotated(by: Turn, v: tuple) -> tuple:
    """Rotate a vector."""
    tx = 2.0 * (by.y * v[2] - by.z * v[1])
    ty = 2.0 * (by.z * v[0] - by.x * v[2])
    tz = 2.0 * (by.x * v[1] - by.y * v[0])
    return (
        v[0] + by.w * tx + by.y * tz - by.z * ty,
        v[1] + by.w * ty + by.z * tx - by.x * tz,
        v[2] + by.w * tz + by.x * ty - by.y * tx,
    )


@kernel
def pose(
    vertices: np.ndarray,
    weight: np.ndarray,
    by: Turn,
    shift: tuple,
    out: np.ndarray,
) -> None:
    """Turn each vertex about the origin as far as its weight says, then shift all.

    vertices, out (V, 3); weight (V,), 0 at the shoulders to 1 on the skull.
    """
    for i in range(vertices.shape[0]):
        v = (float(vertices[i, 0]), float(vertices[i, 1]), float(vertices[i, 2]))
        if weight[i] >= 1.0:
            v = rotated(by, v)
        elif weight[i] > 0.0:
            v = rotated(part_way(by, weight[i]), v)
        out[i, 0] = v[0] + shift[0]
        out[i, 1] = v[1] + shift[1]
        out[i, 2] = v[2] + shift[2]


@kernel
def turn_tangents(tangents: np.ndarray, weight: np.ndarray, by: Turn, out: np.ndarray) -> None:
    """Rotate the (H, 3) directions of hair strands with the head."""
    for i in range(tangents.shape[0]):
        v = (float(tangents[i, 0]), float(tangents[i, 1]), float(tangents[i, 2]))
        v = rotated(part_way(by, weight[i]), v)
        out[i, 0], out[i, 1], out[i, 2] = v[0], v[1], v[2]


@kernel
def normals(vertices: np.ndarray, triangles: np.ndarray, out: np.ndarray) -> None:
    """Average the normals of the triangles around each vertex, weighted by area; out (V, >=3)."""
    out[:, :3] = 0.0
    for t in range(triangles.shape[0]):
        _add_normal(vertices, (triangles[t, 0], triangles[t, 1], triangles[t, 2]), out)
    for i in range(out.shape[0]):
        _normalise(out, i)


@kernel
def normals_at(
    wanted: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, out: np.ndarray
) -> None:
    """Find the normals of the vertices that are `wanted`, (V,) bool; others do not count."""
    for i in range(wanted.shape[0]):
        if wanted[i]:
            out[i, 0] = out[i, 1] = out[i, 2] = 0.0
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if wanted[a] or wanted[b] or wanted[c]:
            _add_normal(vertices, (a, b, c), out)
    for i in range(wanted.shape[0]):
        if wanted[i]:
            _normalise(out, i)


@inline
def _add_normal(vertices: np.ndarray, corners: tuple, out: np.ndarray) -> None:
    a, b, c = corners
    ux, wx = vertices[b, 0] - vertices[a, 0], vertices[c, 0] - vertices[a, 0]
    uy, wy = vertices[b, 1] - vertices[a, 1], vertices[c, 1] - vertices[a, 1]
    uz, wz = vertices[b, 2] - vertices[a, 2], vertices[c, 2] - vertices[a, 2]
    nx, ny, nz = uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx
    for i in (a, b, c):
        out[i, 0] += nx
        out[i, 1] += ny
        out[i, 2] += nz


@inline
def _normalise(out: np.ndarray, i: int) -> None:
    x, y, z = float(out[i, 0]), float(out[i, 1]), float(out[i, 2])
    k = 1.0 / math.sqrt(x * x + y * y + z * z + 1e-20)
    out[i, 0], out[i, 1], out[i, 2] = x * k, y * k, z * k


@kernel
def project(vertices: np.ndarray, camera: Camera, size: int, out: np.ndarray) -> None:
    """Place vertices in an image of `size` samples a side.

    out (V, 3): column, row (pixel n spans n to n + 1) and nearness, the inverse
    of the depth in 1/m, which is linear over the image of a triangle.
    """
    for i in range(vertices.shape[0]):
        near = 1.0 / (camera.distance - vertices[i, 2])
        zoom = near * camera.focal
        out[i, 0] = ((vertices[i, 0] - camera.x) * zoom + 0.5 + camera.shift_x) * size
        out[i, 1] = (0.5 + camera.shift_y - vertices[i, 1] * zoom) * size
        out[i, 2] = near
