import numpy as np
import pytest
from facelab_data import raycast

CUBE = np.array([[x, y, z] for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)])
CUBE_QUADS = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
CUBE_TRIANGLES = np.array([t for a, b, c, d in CUBE_QUADS for t in ((a, b, c), (a, c, d))])


def crossings(origin, direction, corners):
    """Solve for each triangle where the ray meets its plane; (f,) distance or inf, (f, 3)."""
    a, b, c = corners.transpose(1, 0, 2)
    matrix = np.stack([b - a, c - a, np.broadcast_to(-direction, a.shape)], axis=2)
    u, v, distance = np.linalg.solve(matrix, (origin - a)[..., None])[..., 0].T
    weights = np.stack([1 - u - v, u, v], axis=1)
    return np.where((weights.min(axis=1) >= 0) & (distance > 0), distance, np.inf), weights


def directions_of(rng, n):
    directions = rng.standard_normal((n, 3))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def test_first_hits_agree_with_solving_for_every_triangle(rng):
    corners, origin = rng.uniform(-1, 1, (12, 3, 3)), np.array([0.1, 0.0, -0.2])
    directions = directions_of(rng, 200)
    hits, weights = raycast.first_hits(origin, directions, corners)
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for direction, hit, weight in zip(directions, hits, weights, strict=True):
        distance, expected = crossings(origin, direction, corners)
        distance[outward @ direction <= 0] = np.inf
        if np.isinf(distance).all():
            assert hit == -1
        else:
            assert hit == distance.argmin()
            np.testing.assert_allclose(weight, expected[hit], atol=1e-9)
    assert (hits >= 0).any()
    assert (hits < 0).any()


def test_from_within_a_closed_box_every_ray_leaves_on_its_surface(rng):
    directions = directions_of(rng, 100)
    hits, weights = raycast.first_hits(np.zeros(3), directions, CUBE[CUBE_TRIANGLES])
    places = (CUBE[CUBE_TRIANGLES[hits]] * weights[..., None]).sum(axis=1)
    np.testing.assert_allclose(places, directions / np.abs(directions).max(axis=1, keepdims=True))


def test_occlusion_agrees_with_solving_for_every_ray_and_triangle(rng, monkeypatch):
    vertices = rng.uniform(-1, 1, (30, 3))
    triangles = rng.permutation(30).reshape(10, 3)
    directions = directions_of(rng, 24)
    monkeypatch.setattr(raycast, "_sphere", lambda n: directions[:n])
    seen = raycast.occlusion(vertices, triangles, n_directions=24)
    normals = raycast.vertex_normals(vertices, triangles)
    expected = np.zeros(30)
    for i, (vertex, normal) in enumerate(zip(vertices, normals, strict=True)):
        weights = np.maximum(directions @ normal, 0)
        start = vertex + raycast.LIFT_M * normal
        free = [np.isinf(crossings(start, d, vertices[triangles])[0]).all() for d in directions]
        expected[i] = (weights * free).sum() / weights.sum()
    np.testing.assert_allclose(seen, expected, atol=1e-9)
    assert len(set(seen)) > 5


def floor_below(roof, triangles):
    """Light at the middle of a small floor, with a roof over it."""
    floor = np.array([[-0.02, -0.02, 0], [0.02, -0.02, 0], [0, 0.02, 0]])
    all_triangles = np.concatenate([[[0, 1, 2]], np.asarray(triangles).reshape(-1, 3) + 3])
    vertices = np.concatenate([floor, np.asarray(roof, float).reshape(-1, 3)])
    return raycast.occlusion(vertices, all_triangles.astype(int), n_directions=1500)[:3].mean()


def test_an_open_floor_sees_the_whole_sky():
    assert floor_below([], []) == 1


def test_a_disc_overhead_takes_the_share_that_the_solid_angle_says():
    """Cosine-weighted, a disc of radius r at height h hides r^2 / (r^2 + h^2)."""
    angle, radius, height = np.linspace(0, 2 * np.pi, 65)[:-1], 1.0, 1.5
    rim = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle + height], axis=1)
    roof = np.concatenate([[[0, 0, height]], rim])
    fan = [(0, k + 1, (k + 1) % 64 + 1) for k in range(64)]
    hidden = radius**2 / (radius**2 + height**2)
    assert floor_below(roof, fan) == pytest.approx(1 - hidden, abs=0.02)


def test_the_inside_of_a_closed_box_is_dark_and_its_outside_open():
    inside = raycast.occlusion(CUBE, CUBE_TRIANGLES[:, ::-1])
    np.testing.assert_allclose(inside, 0)
    np.testing.assert_allclose(raycast.occlusion(CUBE, CUBE_TRIANGLES), 1)


def test_normals_of_a_box_point_away_from_its_middle():
    normals = raycast.vertex_normals(CUBE, CUBE_TRIANGLES)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    assert (np.sign(normals) == np.sign(CUBE)).all()
