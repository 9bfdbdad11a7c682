"""Sums that leave out what is not defined."""

import numpy as np
import pytest
from facelab_probing.sums import above_chance, average, gather, positive
from sklearn.metrics import balanced_accuracy_score


def test_images_are_summed_per_group(rng):
    members, values = rng.integers(4, size=30), rng.normal(size=(30, 2))
    expected = [values[members == group].sum(axis=0) for group in range(5)]
    np.testing.assert_allclose(gather(members, 5) @ values, expected, atol=1e-12)


def test_what_is_not_defined_has_no_part_in_an_average():
    rows = np.array([[1, np.nan, 3], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(average(rows), [2, np.nan])
    np.testing.assert_array_equal(positive(np.array([0, 2])), [np.nan, 2])


def test_recall_above_chance_equals_scikit_learn(rng):
    codes, guesses = rng.integers(3, size=60), rng.integers(3, size=60)
    hits, sizes = np.bincount(codes[codes == guesses], minlength=4), np.bincount(codes, minlength=4)
    expected = balanced_accuracy_score(codes, guesses, adjusted=True)
    assert above_chance(hits[None], sizes[None]).item() == pytest.approx(expected)
