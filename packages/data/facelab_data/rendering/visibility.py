"""Which triangle is seen where: a z-buffer over samples.

Hair and lashes cover a sample in part. Their opacity is compared with a
threshold that differs between the samples of a pixel, so that a tip fades over
the pixels instead of flickering (alpha to coverage).
"""

import math
from typing import NamedTuple

import numpy as np

from facelab_data.rendering.compiled import inline, kernel
from facelab_data.rendering.hair import hair_opacity, is_dense, lash_opacity
from facelab_data.rendering.scene import HAIR, LASHES


class Mesh(NamedTuple):
    """What is rastered: (V, 3) places in the image, (V, C) channels, (F, 3) corners, (F,) parts."""

    screen: np.ndarray
    channels: np.ndarray
    triangles: np.ndarray
    parts: np.ndarray


class Buffers(NamedTuple):
    """What is seen: (S, S) nearness, 0 where nothing is, and the triangle, there -1."""

    nearness: np.ndarray
    owner: np.ndarray


class Edges(NamedTuple):
    """Barycentric weights of the first two corners as planes over the image."""

    ax: float
    ay: float
    bx: float
    by: float
    x: float
    y: float


def buffers(size: int) -> Buffers:
    """Allocate the buffers of an image of `size` samples a side."""
    return Buffers(np.empty((size, size), np.float32), np.empty((size, size), np.int32))


@inline
def edges(screen: np.ndarray, corners: tuple, area: float) -> Edges:
    """Prepare the barycentric weights of a triangle, relative to its third corner."""
    a, b, c = corners
    x, y = float(screen[c, 0]), float(screen[c, 1])
    k = 1.0 / area
    return Edges(
        (screen[b, 1] - y) * k, (x - screen[b, 0]) * k, (y - screen[a, 1]) * k,
        (screen[a, 0] - x) * k, x, y,
    )  # fmt: skip


@inline
def signed_area(screen: np.ndarray, corners: tuple) -> float:
    """Twice the area of a triangle in the image; y points down, so a front's is negative."""
    a, b, c = corners
    ux, uy = float(screen[b, 0]) - screen[a, 0], float(screen[b, 1]) - screen[a, 1]
    wx, wy = float(screen[c, 0]) - screen[a, 0], float(screen[c, 1]) - screen[a, 1]
    return ux * wy - wx * uy


@inline
def span(p: float, q: float, r: float, size: int) -> tuple:
    """Give the first and last sample centre between the least and the greatest of three places."""
    first = max(0, math.ceil(min(p, q, r) - 0.5))
    last = min(size - 1, math.floor(max(p, q, r) - 0.5))
    return first, last


@inline
def is_opaque(mesh: Mesh, t: int, weights: tuple, raggedness: float, threshold: float) -> bool:
    """Decide whether hair or a lash covers a sample."""
    a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
    u, v, w = weights
    ch = mesh.channels
    strand = u * ch[a, 6] + v * ch[b, 6] + w * ch[c, 6]
    length = u * ch[a, 7] + v * ch[b, 7] + w * ch[c, 7]
    if mesh.parts[t] == HAIR:
        facing = abs(u * ch[a, 2] + v * ch[b, 2] + w * ch[c, 2])
        return hair_opacity(strand, length, raggedness, facing) > threshold
    return lash_opacity(strand, length) > threshold


@inline
def is_dense_all_over(mesh: Mesh, t: int, raggedness: float) -> bool:
    """Tell whether hair is surely opaque on a whole triangle, as most of it is."""
    if mesh.parts[t] != HAIR:
        return False
    a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
    ch = mesh.channels
    along = max(ch[a, 7], ch[b, 7], ch[c, 7])
    least, most = min(ch[a, 2], ch[b, 2], ch[c, 2]), max(ch[a, 2], ch[b, 2], ch[c, 2])
    return is_dense(along, raggedness, max(least, -most))


@inline
def is_culled(part: int, area: float) -> bool:
    """Tell whether a triangle shows nothing: without area, or the back of what has one."""
    return area == 0.0 or (area > 0.0 and part < LASHES)


@inline
def fill(mesh: Mesh, out: Buffers, t: int, thresholds: np.ndarray, raggedness: float) -> None:
    """Raster one triangle."""
    corners = (mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2])
    a, b, c = corners
    p = mesh.screen
    area = signed_area(p, corners)
    if is_culled(mesh.parts[t], area):
        return
    size = out.owner.shape[0]
    left, right = span(p[a, 0], p[b, 0], p[c, 0], size)
    top, bottom = span(p[a, 1], p[b, 1], p[c, 1], size)
    if left > right or top > bottom:
        return
    e = edges(p, corners, area)
    if mesh.parts[t] < LASHES or is_dense_all_over(mesh, t, raggedness):
        fill_opaque(mesh, out, t, e, (left, right, top, bottom))
    else:
        fill_strands(mesh, out, t, (e, left, right, top, bottom), (thresholds, raggedness))


@inline
def fill_opaque(mesh: Mesh, out: Buffers, t: int, e: Edges, box: tuple) -> None:
    """Raster a triangle that is opaque.

    Most triangles are a few samples wide, so that which samples they hold is hard to predict: it
    is chosen by arithmetic, and no sample is jumped over.
    """
    left, right, top, bottom = box
    p = mesh.screen
    za = float(p[mesh.triangles[t, 0], 2])
    zb = float(p[mesh.triangles[t, 1], 2])
    zc = float(p[mesh.triangles[t, 2], 2])
    for y in range(top, bottom + 1):
        dy = y + 0.5 - e.y
        for x in range(left, right + 1):
            dx = x + 0.5 - e.x
            u, v = e.ax * dx + e.ay * dy, e.bx * dx + e.by * dy
            w = 1.0 - u - v
            least = u if u < v else v
            least = least if least < w else w
            near = np.float32(u * za + v * zb + w * zc)
            near = near if least >= 0.0 else np.float32(0.0)
            old = out.nearness[y, x]
            out.nearness[y, x] = near if near > old else old
            out.owner[y, x] = t if near > old else out.owner[y, x]


@inline
def fill_strands(mesh: Mesh, out: Buffers, t: int, place: tuple, covers: tuple) -> None:
    """Raster a triangle that is opaque in parts: of hair or lashes.

    `place` = (edges, left, right, top, bottom), `covers` = (thresholds, raggedness).
    """
    e, left, right, top, bottom = place
    thresholds, raggedness = covers
    p = mesh.screen
    a, b, c = mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2]
    pattern = thresholds.shape[0]
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            dx, dy = x + 0.5 - e.x, y + 0.5 - e.y
            u, v = e.ax * dx + e.ay * dy, e.bx * dx + e.by * dy
            w = 1.0 - u - v
            if (u < 0.0) | (v < 0.0) | (w < 0.0):
                continue
            near = np.float32(u * p[a, 2] + v * p[b, 2] + w * p[c, 2])
            if near <= out.nearness[y, x]:
                continue
            if is_opaque(mesh, t, (u, v, w), raggedness, thresholds[y % pattern, x % pattern]):
                out.nearness[y, x] = near
                out.owner[y, x] = t


@kernel
def raster(
    mesh: Mesh, thresholds: np.ndarray, raggedness: float, skipped: int, out: Buffers
) -> None:
    """Find the nearest triangle at each sample.

    Fronts only, but for hair and lashes, which have no back. `thresholds` (n, n)
    repeats over the samples; `skipped` is a part to leave out, or -1. Triangles
    without area are not drawn.
    """
    out.nearness[:] = 0.0
    out.owner[:] = -1
    for t in range(mesh.triangles.shape[0]):
        if mesh.parts[t] != skipped:
            fill(mesh, out, t, thresholds, raggedness)


@kernel
def corners_seen(triangles: np.ndarray, seen: Buffers, out: np.ndarray) -> None:
    """Mark the vertices of all triangles that are seen somewhere; out (V,) bool."""
    out[:] = False
    last = -1
    for y in range(seen.owner.shape[0]):
        for x in range(seen.owner.shape[1]):
            t = seen.owner[y, x]
            if t >= 0 and t != last:
                last = t
                out[triangles[t, 0]] = out[triangles[t, 1]] = out[triangles[t, 2]] = True


def coverage_thresholds(samples: int) -> np.ndarray:
    """Spread opacities 0 to 1 over a pixel's (samples, samples), neighbours far apart."""
    n = samples * samples
    order = np.arange(n).reshape(samples, samples)
    order = order * (samples + 1) % n if n > 1 else order
    ranks = np.argsort(np.argsort(order, axis=None)).reshape(samples, samples)
    return ((ranks + 0.5) / n).astype(np.float32)
