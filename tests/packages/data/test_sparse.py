import numpy as np
from facelab_data import sparse


def planted(rng, shape, share):
    return rng.integers(-9, 10, shape) * (rng.random(shape) < share) / 8.0


def test_a_product_agrees_with_that_of_the_full_matrix():
    rng = np.random.default_rng(0)
    matrix, base = planted(rng, (5, 40), 0.2), planted(rng, 40, 1.0)
    for rows in (1, 7):
        coefficients = planted(rng, (rows, 5), 1.0)
        out = sparse.multiply(coefficients, sparse.compress(matrix), base)
        assert out.dtype == np.float32
        np.testing.assert_array_equal(out, base + coefficients @ matrix)


def test_only_what_is_not_zero_is_kept():
    matrix = np.array([[0.0, 2.0, 0.0], [0.0, 3.0, 4.0]])
    kept = sparse.compress(matrix)
    assert kept.starts.tolist() == [0, 0, 2, 3]
    assert kept.rows.tolist() == [0, 1, 1]
    assert kept.values.tolist() == [2, 3, 4]


def test_without_entries_the_base_is_left():
    out = sparse.multiply(np.ones((2, 3)), sparse.compress(np.zeros((3, 4))), np.arange(4.0))
    np.testing.assert_array_equal(out, [[0, 1, 2, 3]] * 2)
