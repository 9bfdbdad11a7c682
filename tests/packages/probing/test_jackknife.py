"""Scores without an identity equal those of the remaining images; intervals cover the truth."""

import numpy as np
import pytest
from facelab_probing import scores
from facelab_probing.identification import stratify
from facelab_probing.intervals import mean_over_identities
from facelab_probing.jackknife import (
    accuracy_left_out,
    auc_left_out,
    gallery_left_out,
    pseudovalues,
    r2_left_out,
    unbiased,
)
from facelab_probing.sums import gather
from scipy.special import softmax
from scipy.stats import norm
from sklearn.metrics import r2_score

GROUPS, EACH, CLASSES = 9, 7, 3


@pytest.fixture
def members(rng):
    return rng.permutation(np.repeat(np.arange(GROUPS), np.arange(GROUPS) + 2))


@pytest.fixture
def classified(rng, members):
    codes = rng.integers(CLASSES, size=len(members))
    shares = rng.dirichlet(np.ones(CLASSES), len(members)) + np.eye(CLASSES)[codes] * 0.3
    return codes, shares.round(1)  # rounding makes ties


def covered(truth, trials, draw):
    """How often the interval of a drawn (score, left out, members) holds the truth."""
    values = np.array([pseudovalues(*draw()) for _ in range(trials)])
    table = mean_over_identities(values[None])
    return ((table["low"] <= truth) & (truth <= table["high"])).mean()


def test_r2_without_an_identity_equals_scikit_learn_on_the_others(rng, members):
    targets = rng.normal(size=(len(members), 4)) + 50
    guesses = targets + rng.normal(size=targets.shape)
    found = r2_left_out(targets, guesses, members, GROUPS)
    for group, left in enumerate(found):
        rest = members != group
        expected = r2_score(targets[rest], guesses[rest], multioutput="raw_values")
        np.testing.assert_allclose(left, expected)


@pytest.mark.parametrize(
    ("left_out", "score"),
    [(auc_left_out, scores.scaled_auc), (accuracy_left_out, scores.balanced_accuracy)],
)
@pytest.mark.parametrize("level", ["image", "identity"])
def test_class_scores_without_an_identity_equal_those_of_the_others(
    members, classified, left_out, score, level
):
    codes, shares = classified
    codes = codes if level == "image" else members % CLASSES
    rest = [members != group for group in range(GROUPS)]
    expected = [score(codes[rows], shares[rows]) for rows in rest]
    np.testing.assert_allclose(left_out(codes, shares, members, GROUPS), expected)


def test_a_gallery_without_an_identity_lacks_it_as_class_and_as_distractor(rng, members):
    shares = rng.dirichlet(np.ones(GROUPS), len(members)) + np.eye(GROUPS)[members] * 0.2
    found = gallery_left_out(members, shares)
    for group in range(GROUPS):
        rows, columns = members != group, np.arange(GROUPS) != group
        codes = np.unique(members[rows], return_inverse=True)[1]
        rest = codes, shares[rows][:, columns]
        assert found["auc"][group] == pytest.approx(scores.scaled_auc(*rest))
        expected = scores.balanced_accuracy(*rest)
        assert found["balanced_accuracy"][group] == pytest.approx(expected)


def test_pseudovalues_of_a_mean_are_the_values(rng):
    values = rng.normal(size=12)
    left_out = (values.sum() - values) / 11
    found = pseudovalues(values.mean(), np.append(left_out, 0), np.arange(12))
    np.testing.assert_allclose(found[:12], values)
    assert np.isnan(found[12])  # an identity without images


def test_a_score_that_needs_an_identity_has_no_interval():
    members, codes = np.repeat(np.arange(4), 5), np.repeat([1, 0, 0, 0], 5)
    left_out = auc_left_out(codes, np.full((20, 2), 0.5), members, 4)
    assert np.isnan(pseudovalues(0.0, left_out, members)).all()


def test_intervals_cover_the_population_r_squared(rng):
    """Identities differ in how well they are read; R² of the population is 1 - 0.5 / 1."""
    members = np.repeat(np.arange(40), 8)

    def draw():
        targets = rng.normal(size=(len(members), 1))
        noise = np.sqrt(rng.choice([0.1, 0.9], 40))[members, None]
        guesses = targets + noise * rng.normal(size=targets.shape)
        score = scores.r_squared(targets, guesses).item()
        return score, r2_left_out(targets, guesses, members, 40)[:, 0], members

    assert 0.92 <= covered(0.5, 400, draw) <= 0.98


def test_intervals_cover_the_mean_over_many_outputs_of_identities(rng):
    """The bias of 100 outputs is larger than the spread of their mean.

    An interval as wide around the score itself misses the truth.
    """
    members, truth, biased = np.repeat(np.arange(48), 2), 1 - (0.8**2 + 0.16 + 0.01), []

    def draw():
        targets = rng.normal(size=(48, 100))[members]
        noise = 0.4 * rng.normal(size=(48, 100))[members] + 0.1 * rng.normal(size=targets.shape)
        guesses = 0.2 * targets + noise
        score = scores.r_squared(targets, guesses).mean()
        left_out = r2_left_out(targets, guesses, members, 48).mean(axis=1)
        spread = pseudovalues(score, left_out, members).std(ddof=1) / np.sqrt(48)
        biased.append(abs(score - truth) <= 2.01 * spread)
        return score, left_out, members

    assert 0.92 <= covered(truth, 300, draw) <= 0.985
    assert np.mean(biased) < 0.8


@pytest.mark.parametrize("level", ["image", "identity"])
def test_intervals_cover_the_population_auc(rng, level):
    """A score of an image is its class, its identity's offset and noise, all known."""
    members = np.repeat(np.arange(48), 8)
    truth = 2 * norm.cdf(1 / np.sqrt(2 * (0.6**2 + 1))) - 1

    def draw():
        code = rng.permutation(np.arange(48) % 2)[members]
        code = code if level == "identity" else rng.permuted(np.arange(len(members)) % 2)
        guesses = code + 0.6 * rng.normal(size=48)[members] + rng.normal(size=len(members))
        shares = np.column_stack([-guesses, guesses])
        left_out = auc_left_out(code, shares, members, 48)
        return scores.scaled_auc(code, shares), left_out, members

    assert 0.92 <= covered(truth, 300, draw) <= 0.98


def test_intervals_cover_the_mean_score_of_galleries(rng):
    """Identities are told apart by cross-validation; the truth is the mean over galleries.

    Resampling the identities' own scores forgets that they are each other's distractors.
    """
    people, found = 20, {"auc": [], "balanced_accuracy": []}
    codes = np.repeat(np.arange(people), 8)
    for _ in range(200):
        distinct = 0.7 * np.exp(0.5 * rng.normal(size=(people, 1)))
        units = (distinct * rng.normal(size=(people, 5)))[codes] + rng.normal(size=(160, 5))
        fold, shares = stratify(codes, 2, rng), np.empty((160, people))
        for part in (fold == 0, fold == 1):
            means = gather(codes[~part], people) @ units[~part] / 4
            shares[part] = softmax(-((units[part, None] - means) ** 2).sum(axis=2) / 2, axis=1)
        for measure, left_out in gallery_left_out(codes, shares).items():
            score = scores.MEASURES[measure].score(codes, shares)
            found[measure].append(pseudovalues(score, unbiased(score, left_out), codes))
    for values in found.values():
        table = mean_over_identities(np.array(values)[None])
        truth = table["mean"].mean()
        assert 0.90 <= ((table["low"] <= truth) & (truth <= table["high"])).mean() <= 0.985
