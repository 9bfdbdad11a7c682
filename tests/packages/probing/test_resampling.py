"""Scores of shuffled labels equal those computed one shuffle at a time."""

import numpy as np
import pytest
from facelab_probing import scores
from facelab_probing.resampling import accuracy_null, areas, auc_null, r2_null, shuffled

GROUPS, EACH, CLASSES = 9, 7, 3


@pytest.fixture
def classified(rng):
    codes = rng.integers(CLASSES, size=GROUPS * EACH)
    shares = rng.dirichlet(np.ones(CLASSES), len(codes)) + np.eye(CLASSES)[codes] * 0.3
    return codes, shares.round(1)  # rounding makes ties


def test_the_null_equals_scores_of_labels_shuffled_by_hand(rng, classified):
    codes, shares = classified
    images = np.arange(len(codes))
    orders = np.array([rng.permutation(len(codes)) for _ in range(5)])
    mixed = shuffled(codes, images, orders)
    np.testing.assert_array_equal(mixed, codes[orders])
    np.testing.assert_allclose(
        auc_null(mixed, shares), [scores.scaled_auc(codes[o], shares) for o in orders]
    )
    np.testing.assert_allclose(
        accuracy_null(mixed, shares), [scores.balanced_accuracy(codes[o], shares) for o in orders]
    )


def test_labels_of_identities_move_as_one(rng):
    members = np.repeat(np.arange(4), [3, 5, 2, 6])
    values = rng.normal(size=(4, 2))
    guesses = rng.normal(size=(len(members), 2))
    orders = np.array([rng.permutation(4) for _ in range(5)])
    null = r2_null(values[members], guesses, members, orders)
    expected = [scores.r_squared(values[order][members], guesses) for order in orders]
    np.testing.assert_allclose(null, expected)
    np.testing.assert_array_equal(shuffled(members + 1, members, orders), orders[:, members] + 1)


def test_areas_average_to_the_score(classified):
    codes, shares = classified
    assert areas(codes[None], shares).mean() == pytest.approx(scores.scaled_auc(codes, shares))
