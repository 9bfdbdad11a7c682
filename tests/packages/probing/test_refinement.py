import numpy as np
import pytest
from facelab_probing.refinement import Coarse, refine

SHAPE = (41, 37)
COARSE = Coarse(every=4, fraction=0.1)


def bump(sd, centre=(20, 13), shape=SHAPE):
    down, along = np.ogrid[: shape[0], : shape[1]]
    return np.exp(-((down - centre[0]) ** 2 + (along - centre[1]) ** 2) / (2 * sd**2))


def work_out(true, coarse=COARSE):
    asked = []

    def exact(rows, columns):
        asked.append(len(rows) * len(columns))
        return true[np.ix_(rows, columns)]

    return *refine(exact, true.shape, coarse), sum(asked)


def test_a_bump_is_exact_where_it_is_large_and_costs_less_than_the_map():
    true = bump(4)
    values, error, asked = work_out(true)
    assert np.array_equal(values[true >= 0.1], true[true >= 0.1])
    assert np.abs(values - true).max() < 0.03
    assert asked < true.size / 2
    assert 0 < error < 0.03


def test_the_error_told_is_about_that_of_the_map():
    noise = np.random.default_rng(0).normal(size=SHAPE) * 0.05
    true = bump(3) + noise
    values, error, _ = work_out(true, Coarse(every=4, fraction=0.6))
    worst = np.abs(values - true).max() / np.abs(true).max()
    assert 0.5 * worst < error <= 1.5 * worst


def test_a_plane_is_interpolated_without_error():
    down, along = np.ogrid[: SHAPE[0], : SHAPE[1]]
    true = 1.0 + 2 * down + 3 * along
    values, error, _ = work_out(true, Coarse(every=5, fraction=1.0))
    np.testing.assert_allclose(values, true)
    assert error < 1e-12


def test_what_falls_between_all_places_tried_at_first_is_found():
    true = np.zeros(SHAPE)
    true[10, 11] = 1
    values, error, _ = work_out(true)
    assert np.array_equal(values, true)
    assert error == 0


def test_what_falls_halfway_beside_something_else_raises_the_error():
    true = np.zeros(SHAPE)
    true[28, 28], true[10, 10] = 0.5, 1  # of these the second is halfway between 8 and 12
    _, error, _ = work_out(true)
    assert error == 1


def test_nothing_to_find_is_nothing_and_a_map_of_one_place_is_that():
    values, error, _ = work_out(np.zeros(SHAPE))
    assert not values.any()
    assert error == 0
    values, error, _ = work_out(np.full((1, 1), 7.0))
    assert values.tolist() == [[7.0]]
    assert error == 0


@pytest.mark.parametrize(("every", "fraction"), [(1, 0.1), (2, 0.0), (2, 1.5)])
def test_a_coarse_map_must_be_coarse(every, fraction):
    with pytest.raises(ValueError, match=f"these are {every} and {fraction}"):
        Coarse(every=every, fraction=fraction)
