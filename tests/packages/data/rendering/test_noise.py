import numpy as np
from facelab_data.rendering import noise

LATTICE = noise.table()


def test_on_the_lattice_the_noise_is_its_table():
    cells = np.array([[0, 0, 0], [3, 7, 30], [31, 1, 2]])
    np.testing.assert_array_equal(noise.values(LATTICE, cells * 1.0), LATTICE[tuple(cells.T)])


def test_noise_is_continuous_and_repeats():
    x = np.random.default_rng(0).uniform(-40, 40, (200, 3))
    here = noise.values(LATTICE, x)
    assert np.abs(noise.values(LATTICE, x + 1e-4) - here).max() < 1e-3
    np.testing.assert_allclose(noise.values(LATTICE, x + noise.PERIOD), here, atol=1e-4)


def test_scattered_numbers_are_uniform_and_uncorrelated():
    drawn = np.array([noise.scatter(n) for n in range(4000)])
    assert abs(drawn.mean() - 0.5) < 0.03
    assert abs(drawn.var() - 1 / 12) < 0.01
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.06
