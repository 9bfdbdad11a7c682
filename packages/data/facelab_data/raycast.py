"""Casting rays at the head once, when the asset is made.

Two questions are asked of the mesh: how much of the sky does each vertex see, and
where does a ray from the middle of the skull leave through the scalp?
"""

import math

import numpy as np
from numba import njit
from tqdm import tqdm

GRID = 192
LIFT_M = 1e-3


def occlusion(vertices: np.ndarray, triangles: np.ndarray, n_directions: int = 256) -> np.ndarray:
    """Compute the cosine-weighted share of directions that leave a vertex freely.

    For each of a set of directions spread evenly over the sphere, all rays are
    parallel, so triangles are sorted into a grid across the rays and each ray meets
    those of one cell only.

    Parameters
    ----------
    vertices : (n, 3) float64, m
    triangles : (f, 3) int

    Returns
    -------
    seen : (n,) float64
        1 open to the sky, 0 walled in.
    """
    normals = vertex_normals(vertices, triangles)
    starts = vertices + LIFT_M * normals
    seen, total = np.zeros(len(vertices)), np.zeros(len(vertices))
    for direction in tqdm(_sphere(n_directions), desc="ambient occlusion"):
        weight = np.maximum(normals @ direction, 0)
        across = _frame(direction)
        free = _unblocked(starts @ across.T, (vertices @ across.T)[triangles], weight > 0)
        seen += weight * free
        total += weight
    return seen / np.maximum(total, 1e-9)


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Compute unit normals, each the area-weighted mean of its triangles' normals."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], faces)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


@njit(cache=True, error_model="numpy")
def first_hits(
    origin: np.ndarray, directions: np.ndarray, corners: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the first triangle that each ray from `origin` leaves through.

    Parameters
    ----------
    origin : (3,) float64
    directions : (r, 3) float64
    corners : (f, 3, 3) float64, the triangles' corners

    Returns
    -------
    hits : (r,) int64, triangle, or -1
    weights : (r, 3) float64, barycentric weights of the place

    Notes
    -----
    Möller & Trumbore (1997), Journal of Graphics Tools 2, 21-28.
    """
    hits = np.full(len(directions), -1)
    weights = np.zeros((len(directions), 3))
    for ray in range(len(directions)):
        nearest = 1e9
        for face in range(len(corners)):
            corner, second, third = corners[face]
            edge_b, edge_c = second - corner, third - corner
            across = np.cross(directions[ray], edge_c)
            determinant = np.dot(edge_b, across)
            if determinant >= -1e-14:  # seen from outside, or edge on
                continue
            start = origin - corner
            b = np.dot(start, across) / determinant
            along = np.cross(start, edge_b)
            c = np.dot(directions[ray], along) / determinant
            distance = np.dot(edge_c, along) / determinant
            if min(b, c, 1 - b - c) >= 0 and 0 < distance < nearest:
                nearest, hits[ray] = distance, face
                weights[ray] = np.array([1 - b - c, b, c])
    return hits, weights


def _sphere(n: int) -> np.ndarray:
    """Spread n unit vectors evenly: the Fibonacci lattice."""
    rank = np.arange(n) + 0.5
    z, angle = 1 - 2 * rank / n, np.pi * (1 + 5**0.5) * rank
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)


def _frame(direction: np.ndarray) -> np.ndarray:
    """Make rows right, up, direction."""
    right = np.cross([0.0, 1.0, 0.0], direction)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), direction])


@njit(cache=True, error_model="numpy")
def _unblocked(starts: np.ndarray, corners: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Tell whether each start, looking along +z, sees no triangle."""
    low = np.array([corners[:, :, 0].min(), corners[:, :, 1].min()])
    high = np.array([corners[:, :, 0].max(), corners[:, :, 1].max()])
    scale = (GRID - 1) / (high - low).max()
    first, members = _sort_into_cells(corners, low, scale)
    free = np.ones(len(starts))
    for i in range(len(starts)):
        x, y = int((starts[i, 0] - low[0]) * scale), int((starts[i, 1] - low[1]) * scale)
        if not asked[i] or not (0 <= x < GRID and 0 <= y < GRID):
            continue
        for place in range(first[x * GRID + y], first[x * GRID + y + 1]):
            if _above(starts[i], corners[members[place]]):
                free[i] = 0.0
                break
    return free


@njit(cache=True, error_model="numpy")
def _sort_into_cells(
    corners: np.ndarray, low: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """List the triangles over each cell: cell k holds members[first[k]:first[k + 1]]."""
    first = np.zeros(GRID * GRID + 1, np.int64)
    members = np.zeros(0, np.int64)
    for filling in (False, True):
        cursor = first.copy()
        for face in range(len(corners)):
            x, y = (corners[face, :, 0] - low[0]) * scale, (corners[face, :, 1] - low[1]) * scale
            for i in range(int(x.min()), int(x.max()) + 1):
                for j in range(int(y.min()), int(y.max()) + 1):
                    if filling:
                        members[cursor[i * GRID + j]] = face
                        cursor[i * GRID + j] += 1
                    else:
                        first[i * GRID + j + 1] += 1
        if not filling:
            first = np.cumsum(first)
            members = np.zeros(first[-1], np.int64)
    return first, members


@njit(cache=True, error_model="numpy", inline="always")
def _above(point: np.ndarray, corner: np.ndarray) -> bool:
    """Tell whether the triangle lies over the point, further along z."""
    ax, ay = corner[0, 0] - point[0], corner[0, 1] - point[1]
    bx, by = corner[1, 0] - point[0], corner[1, 1] - point[1]
    cx, cy = corner[2, 0] - point[0], corner[2, 1] - point[1]
    a, b, c = bx * cy - cx * by, cx * ay - ax * cy, ax * by - bx * ay
    area = a + b + c
    if math.fabs(area) < 1e-18 or min(a * area, b * area, c * area) < 0:
        return False
    z = (a * corner[0, 2] + b * corner[1, 2] + c * corner[2, 2]) / area
    return z > point[2]
