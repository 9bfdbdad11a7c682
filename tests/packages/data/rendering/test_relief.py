import numpy as np
import pytest
from facelab_data.rendering import noise, relief

LATTICE = noise.table()


def engraved(amplitudes):
    out = np.empty(relief.grooves().shape[1:], np.float32)
    layers = relief.grooves().reshape(len(amplitudes), -1)
    relief.engrave(layers, relief.extents(), np.array(amplitudes, float), out.reshape(-1))
    return out


def test_no_wrinkles_leave_the_skin_flat():
    assert not engraved([0, 0, 0, 0]).any()


@pytest.mark.parametrize("group", range(4))
def test_a_group_grows_with_its_amplitude_alone(group):
    one = np.eye(4)[group]
    np.testing.assert_allclose(engraved(2 * one), 2 * engraved(one), rtol=1e-5)
    np.testing.assert_array_equal(engraved(one), relief.grooves()[group])


def test_forehead_lines_lie_above_those_of_the_mouth():
    depth = -relief.grooves()[..., 2]
    rows = np.arange(relief.HEIGHT)
    centres = [(d.sum(axis=1) * rows).sum() / d.sum() for d in depth]
    assert centres[0] < centres[3] < centres[1] < centres[2]


def test_there_is_no_relief_behind_the_face():
    assert relief.relief((0.0, 0.6, -0.5), engraved([1, 1, 1, 1]), LATTICE, 0.0) == (0, 0, 0)


def test_a_slope_tilts_the_normal_against_itself_and_keeps_its_length():
    normal = relief.tilted((0.0, 0.0, 1.0), (0.3, 0.0, 0.0))
    assert normal[0] < 0
    assert sum(v * v for v in normal) == pytest.approx(1)
