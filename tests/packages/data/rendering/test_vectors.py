import math

import numpy as np
import pytest
from facelab_data.rendering import vectors

A, B = (1.0, 2.0, 3.0), (-0.5, 4.0, 0.25)


def test_arithmetic_agrees_with_numpy():
    a, b = np.array(A), np.array(B)
    assert vectors.dot(A, B) == a @ b
    assert vectors.added(A, B, 2.0) == tuple(a + 2 * b)
    assert vectors.times(A, B) == tuple(a * b)
    assert vectors.mixed(A, B, 0.25) == tuple(a + 0.25 * (b - a))


def test_a_normalised_vector_has_unit_length_and_the_null_vector_stays():
    assert math.hypot(*vectors.normalised(A)) == pytest.approx(1)
    assert vectors.normalised((0.0, 0.0, 0.0)) == (0, 0, 0)


def test_smoothstep_rises_either_way():
    assert [vectors.smoothstep(1.0, 3.0, x) for x in (0.0, 2.0, 4.0)] == [0, 0.5, 1]
    assert vectors.smoothstep(3.0, 1.0, 0.0) == 1


@pytest.mark.parametrize(("x", "error"), [(0.0, 1e-12), (0.5, 1e-6), (2.0, 6e-5), (8.0, 0.04)])
def test_decay_approximates_the_exponential(x, error):
    assert vectors.decay(x) == pytest.approx(math.exp(-x), rel=error)
