"""Confusions: counted right, and mistakes that gather told from those that do not."""

import numpy as np
import pytest
from facelab_probing.confusions import blind, coincidence, confusion
from facelab_probing.intervals import mean_over_identities
from sklearn.metrics import confusion_matrix

CLASSES, EACH = 40, 6
TRUTH = np.repeat(np.arange(CLASSES), EACH)


def guess(rng, favourites=0.0, accuracy=0.0):
    """Name images at random; mistakes fall on the classes 0 to 3 with a share `favourites`."""
    named = (TRUTH + rng.integers(1, CLASSES, len(TRUTH))) % CLASSES
    drawn = rng.random(len(TRUTH)) < favourites
    named[drawn] = rng.integers(0, 4, drawn.sum())
    right = rng.random(len(TRUTH)) < accuracy
    return np.where(right, TRUTH, named)


def measured(rng, count=300, **how):
    return np.array(
        [coincidence(confusion(TRUTH, guess(rng, **how), CLASSES)) for _ in range(count)]
    )


def test_counts_are_those_of_scikit_learn(rng):
    named = guess(rng, accuracy=0.3)
    expected = confusion_matrix(TRUTH, named, labels=range(CLASSES))
    assert np.array_equal(confusion(TRUTH, named, CLASSES), expected)
    with pytest.raises(ValueError, match="class 40 is not one of 40"):
        confusion(TRUTH, named + 1, CLASSES)


@pytest.mark.parametrize("accuracy", [0.0, 0.9])
def test_blind_mistakes_coincide_as_often_as_told_however_few_there_are(rng, accuracy):
    found = measured(rng, accuracy=accuracy).mean(axis=1)
    assert found.mean() == pytest.approx(blind(CLASSES), abs=4 * found.std() / 300**0.5)


def test_mistakes_that_gather_on_four_names_are_found_whatever_the_accuracy(rng):
    for accuracy in (0.0, 0.7):
        found = measured(rng, favourites=1.0, accuracy=accuracy, count=50).mean()
        assert 1 / found == pytest.approx(4, rel=0.1)


def test_leaving_out_a_class_is_what_the_pseudo_values_hold(rng):
    counts = confusion(TRUTH, guess(rng, favourites=0.3), CLASSES)
    values = coincidence(counts)
    without = counts.copy()
    without[7] = 0

    def plain(counts):
        wrong = counts - np.diag(np.diag(counts))
        pairs = [(a, b) for a in range(CLASSES) for b in range(CLASSES) if a != b]
        same = sum(wrong[a] @ wrong[b] for a, b in pairs)
        return same / sum(wrong[a].sum() * wrong[b].sum() for a, b in pairs)

    assert values[7] == pytest.approx(CLASSES * plain(counts) - (CLASSES - 1) * plain(without))


def test_the_interval_over_classes_covers_what_blind_guesses_do_or_errs_to_the_wide_side(rng):
    table = mean_over_identities(measured(rng)[None])
    covered = (table["low"] <= blind(CLASSES)) & (blind(CLASSES) <= table["high"])
    assert covered.mean() >= 0.93


def test_without_mistakes_there_is_nothing_to_say():
    assert np.isnan(coincidence(confusion(TRUTH, TRUTH, CLASSES))).all()
