"""Folds of whole identities."""

import numpy as np
import pytest
from facelab_probing.folds import grouped_folds


def test_no_identity_is_in_two_folds_and_every_image_is_in_one(rng):
    identity = rng.integers(40, size=500)
    folds = grouped_folds(identity, 5, seed=0)
    assert set(folds) == set(range(5))
    assert all(len(set(folds[identity == name])) == 1 for name in identity)


def test_folds_differ_by_at_most_one_identity():
    identity = np.repeat(np.arange(23), 3)
    sizes = np.bincount(grouped_folds(identity, 4, seed=1)) // 3
    assert sizes.max() - sizes.min() <= 1


def test_the_order_of_the_images_does_not_matter(rng):
    identity = np.repeat(np.arange(12), 4)
    order = rng.permutation(len(identity))
    folds = grouped_folds(identity, 3, seed=2)
    np.testing.assert_array_equal(grouped_folds(identity[order], 3, seed=2), folds[order])


def test_another_seed_deals_otherwise():
    identity = np.repeat(np.arange(30), 2)
    assert not np.array_equal(grouped_folds(identity, 3, 0), grouped_folds(identity, 3, 1))


@pytest.mark.parametrize("folds", [1, 5])
def test_too_few_identities_are_refused(folds):
    with pytest.raises(ValueError, match=f"folds {folds} must be between 2 and the 4"):
        grouped_folds(np.repeat(np.arange(4), 6), folds, seed=0)
