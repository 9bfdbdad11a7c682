import numpy as np
import pytest
from facelab_data.rendering import geometry
from facelab_data.rendering.scene import Camera
from scipy.spatial.transform import Rotation

POINTS = np.random.default_rng(0).normal(size=(50, 3))
SURE, NONE = np.ones(50, np.float32), np.zeros(50, np.float32)
STILL = (0.0, 0.0, 0.0)


def posed(points, by, weight=SURE, shift=STILL):
    out = np.empty_like(points)
    geometry.pose(points, weight, by, shift, out)
    return out


def test_turning_and_turning_back_returns_to_the_start():
    by = geometry.turn(20.0, -35.0, 12.0)
    back = geometry.Turn(by.w, -by.x, -by.y, -by.z)
    np.testing.assert_allclose(posed(posed(POINTS, by), back), POINTS, atol=1e-6)


def test_a_turn_is_roll_then_pitch_then_yaw():
    expected = Rotation.from_euler("zxy", [12, 20, -35], degrees=True).apply(POINTS)
    np.testing.assert_allclose(posed(POINTS, geometry.turn(20.0, -35.0, 12.0)), expected)


def test_the_face_goes_right_with_yaw_and_down_with_pitch():
    nose = np.array([[0.0, 0.0, 1.0]])
    assert posed(nose, geometry.turn(0.0, 30.0, 0.0), SURE[:1])[0, 0] > 0.4
    assert posed(nose, geometry.turn(30.0, 0.0, 0.0), SURE[:1])[0, 1] < -0.4


def test_shoulders_do_not_turn_but_move():
    shift = (0.1, 0.2, 0.3)
    out = posed(POINTS, geometry.turn(0.0, 40.0, 0.0), NONE, shift)
    np.testing.assert_allclose(out, POINTS + shift)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_half_a_weight_turns_part_of_the_way(share):
    by = geometry.part_way(geometry.turn(0.0, 40.0, 0.0), share)
    assert np.degrees(2 * np.arccos(by.w)) == pytest.approx(40 * share, abs=0.5)


def test_normals_of_a_tetrahedron_point_outwards():
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], np.float32)
    sides = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], np.int32)
    out = np.empty((4, 3), np.float32)
    geometry.normals(corners, sides, out)
    np.testing.assert_allclose(out, corners / np.sqrt(3), atol=1e-6)


def test_projection_is_a_pinhole_whose_nearness_is_inverse_depth():
    camera = Camera(0.03, 0.6, 1.5, 0.0, 0.0)
    out = np.empty((1, 3))
    geometry.project(np.array([[0.13, 0.1, 0.1]]), camera, 100, out)
    assert out[0] == pytest.approx([50 + 100 * 1.5 * 0.1 / 0.5, 50 - 100 * 1.5 * 0.1 / 0.5, 2])
