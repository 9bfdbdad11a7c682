"""Sums per identity give the scores of whole resampled and shuffled sets."""

import numpy as np
import pytest
from facelab_probing import scores
from facelab_probing.resampling import (
    accuracy_draws,
    accuracy_null,
    areas,
    auc_draws,
    auc_null,
    r2_draws,
    r2_null,
    recalls,
    shuffled,
)

GROUPS, EACH, CLASSES = 9, 7, 3


@pytest.fixture
def members(rng):
    return rng.permutation(np.repeat(np.arange(GROUPS), EACH))


@pytest.fixture
def counts(rng):
    return rng.multinomial(GROUPS, np.full(GROUPS, 1 / GROUPS), size=6).astype(float)


@pytest.fixture
def classified(rng, members):
    codes = rng.integers(CLASSES, size=len(members))
    shares = rng.dirichlet(np.ones(CLASSES), len(members)) + np.eye(CLASSES)[codes] * 0.3
    return codes, shares.round(1)  # rounding makes ties


def drawn(members, count):
    """Rows of a resampled set, written out."""
    parts = [np.tile(np.flatnonzero(members == g), int(n)) for g, n in enumerate(count)]
    return np.concatenate(parts)


def test_r2_of_draws_equals_that_of_the_images_written_out(rng, members, counts):
    targets = rng.normal(size=(len(members), 4)) + 50
    guesses = targets + rng.normal(size=targets.shape)
    for draw, count in zip(r2_draws(targets, guesses, members, counts), counts, strict=True):
        rows = drawn(members, count)
        lost = ((targets - guesses)[rows] ** 2).sum(0)
        spread = ((targets[rows] - targets.mean(0)) ** 2).sum(0)
        np.testing.assert_allclose(draw, 1 - lost / spread)


@pytest.mark.parametrize(
    ("draws", "score"),
    [(auc_draws, scores.scaled_auc), (accuracy_draws, scores.balanced_accuracy)],
)
def test_class_scores_of_draws_equal_those_of_the_images_written_out(
    members, counts, classified, draws, score
):
    codes, shares = classified
    expected = [score(codes[rows], shares[rows]) for rows in (drawn(members, c) for c in counts)]
    np.testing.assert_allclose(draws(codes, shares, members, counts), expected)


def test_a_draw_of_every_identity_once_is_the_score(rng, members, classified):
    codes, shares = classified
    once = np.ones((1, GROUPS))
    np.testing.assert_allclose(
        auc_draws(codes, shares, members, once), scores.scaled_auc(codes, shares)
    )
    targets = rng.normal(size=(len(members), 2))
    guesses = targets + rng.normal(size=targets.shape)
    expected = scores.r_squared(targets, guesses)
    np.testing.assert_allclose(r2_draws(targets, guesses, members, once)[0], expected)


def test_the_null_equals_scores_of_labels_shuffled_by_hand(rng, members, classified):
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


def test_areas_and_recalls_average_to_the_scores(classified):
    codes, shares = classified
    assert areas(codes[None], shares).mean() == pytest.approx(scores.scaled_auc(codes, shares))
    adjusted = (recalls(codes, shares).mean() - 1 / CLASSES) / (1 - 1 / CLASSES)
    assert adjusted == pytest.approx(scores.balanced_accuracy(codes, shares))


def test_intervals_cover_the_population_score(rng):
    """Identities differ in how well they are read; R² of the population is 1 - 0.5 / 1."""
    covered, trials, groups = 0, 200, 40
    for _ in range(trials):
        members = np.repeat(np.arange(groups), 8)
        targets = rng.normal(size=(len(members), 1))
        noise = np.sqrt(rng.choice([0.1, 0.9], groups))[members, None]
        guesses = targets + noise * rng.normal(size=targets.shape)
        counts = rng.multinomial(groups, np.full(groups, 1 / groups), size=200)
        draws = r2_draws(targets, guesses, members, counts)
        low, high = np.quantile(draws, [0.025, 0.975])
        covered += low <= 0.5 <= high
    assert 0.88 < covered / trials <= 0.99
