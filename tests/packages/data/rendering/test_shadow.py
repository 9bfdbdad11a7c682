import numpy as np
import pytest
from facelab_data.rendering import lighting, shadow

CENTRE = (0.0, 0.0, 0.0)


@pytest.mark.parametrize("angles", [(0, 0), (35, -60), (90, 0), (-80, 20)])
def test_the_axes_of_the_light_are_perpendicular(angles):
    frame = shadow.frame(lighting.key_light(*angles).direction, CENTRE, 0.2)
    axes = np.array([frame.right, frame.up, frame.towards])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)


def test_what_lies_nearer_to_the_light_is_nearer_in_its_picture():
    frame = shadow.frame((0.0, 0.0, 1.0), CENTRE, 0.2)
    out = np.empty((2, 3))
    shadow.project_to_light(np.array([[0, 0, 0.1], [0, 0, -0.1]]), frame, 64, out)
    np.testing.assert_allclose(out[0, :2], [32, 32])
    assert out[0, 2] > out[1, 2]


def light_at(z, x=0.0):
    """Light at a point behind a wall at z = 0.05 that covers the left half."""
    frame = shadow.frame((0.0, 0.0, 1.0), CENTRE, 0.2)
    nearness = np.zeros((64, 64), np.float32)
    nearness[:, :32] = 0.05 + shadow.OFFSET
    return shadow.lit(nearness, frame, (x, 0.0, z), (0.0, 0.0, 1.0), 0.006)


def test_a_wall_shades_what_is_behind_it_only():
    assert light_at(-0.05, -0.1) == 0
    assert light_at(-0.05, 0.1) == pytest.approx(1)
    assert light_at(0.06, -0.1) == pytest.approx(1)


def test_the_edge_of_a_shadow_is_soft():
    across = [light_at(-0.05, x) for x in np.linspace(-0.03, 0.03, 61)]
    assert (np.diff(across) >= -1e-9).all()
    assert np.max(np.diff(across)) < 0.5
