"""Scores beside scikit-learn; 0 at chance, 1 at perfection."""

import numpy as np
import pytest
from facelab_probing import scores
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score


def test_r_squared_equals_scikit_learn(rng):
    targets = rng.normal(size=(50, 3)) + 10
    guesses = targets + rng.normal(size=(50, 3))
    expected = r2_score(targets, guesses, multioutput="raw_values")
    np.testing.assert_allclose(scores.r_squared(targets, guesses), expected)


def test_correlation_equals_numpy_and_ignores_scale(rng):
    targets = rng.normal(size=(50, 2))
    guesses = targets + rng.normal(size=(50, 2))
    expected = [np.corrcoef(targets[:, t], guesses[:, t])[0, 1] for t in range(2)]
    np.testing.assert_allclose(scores.correlation(targets, guesses), expected)
    np.testing.assert_allclose(scores.correlation(targets, 3 * guesses - 8), expected)


def test_missing_targets_are_left_out(rng):
    targets = rng.normal(size=(50, 2))
    guesses = targets + rng.normal(size=(50, 2))
    targets[:9, 0] = np.nan
    expected = r2_score(targets[9:, 0], guesses[9:, 0])
    assert scores.r_squared(targets, guesses)[0] == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 5])
def test_auc_and_accuracy_equal_scikit_learn(rng, classes):
    codes = rng.integers(classes, size=120)
    shares = rng.dirichlet(np.ones(classes), 120) + 0.2 * np.eye(classes)[codes]
    shares /= shares.sum(axis=1, keepdims=True)
    given = shares[:, 1] if classes == 2 else shares
    area = roc_auc_score(codes, given, multi_class="ovr")
    assert scores.scaled_auc(codes, shares) == pytest.approx(2 * area - 1)
    expected = balanced_accuracy_score(codes, shares.argmax(1), adjusted=True)
    assert scores.balanced_accuracy(codes, shares) == pytest.approx(expected)


@pytest.mark.parametrize("measure", ["auc", "balanced_accuracy"])
def test_perfection_is_one_and_ignorance_zero(rng, measure):
    codes = np.tile(np.arange(4), 30)
    score = scores.MEASURES[measure].score
    assert score(codes, np.eye(4)[codes]) == pytest.approx(1)
    assert score(codes, np.full((120, 4), 0.25)) == pytest.approx(0)


def test_missing_codes_are_left_out(rng):
    codes, shares = rng.integers(3, size=60), rng.dirichlet(np.ones(3), 60)
    holes = codes.copy()
    holes[:10] = -1
    for score in (scores.scaled_auc, scores.balanced_accuracy):
        assert score(holes, shares) == pytest.approx(score(codes[10:], shares[10:]))


def test_what_does_not_vary_has_no_score():
    constant = np.full((9, 1), 0.1)
    assert np.isnan(scores.r_squared(constant, constant + 1)).all()
    codes = np.zeros(9, int)
    assert np.isnan(scores.scaled_auc(codes, np.full((9, 2), 0.5)))
    assert np.isnan(scores.balanced_accuracy(codes, np.full((9, 2), 0.5)))


def test_angles_go_around():
    error = scores.circular_error_deg(np.array([[359.0], [10.0]]), np.array([[1.0], [10.0]]))
    assert error == pytest.approx(1.0)
