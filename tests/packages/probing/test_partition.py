"""Images divided by identity."""

import numpy as np
import pytest
from facelab_probing.partition import basis, cross, divide, require_labels


@pytest.fixture
def images(rng):
    identity = np.repeat(np.arange(12), 4)
    split = np.repeat(["training", "validation", "testing"], 16)
    return rng.normal(size=(48, 5)), identity, split


@pytest.mark.parametrize(
    ("row", "copied", "message"),
    [(20, 2, "both fitted and scored"), (40, 2, "both fitted and scored"), (40, 5, "tuned on")],
)
def test_an_identity_on_two_sides_is_refused_by_name(images, row, copied, message):
    units, identity, split = images
    identity[row] = copied
    with pytest.raises(ValueError, match=rf"{message}.*\({copied}\)"):
        divide(units, identity, split, 1.0)


def test_holdout_images_are_neither_fitted_nor_scored_but_have_an_identity(images):
    units, identity, split = images
    split = split.astype("<U10")
    split[:2] = "holdout"
    partition = divide(units, identity, split, 1.0)
    assert not (partition.fitting | partition.tuning | partition.scoring)[:2].any()
    identity[20] = identity[0]
    with pytest.raises(ValueError, match="both fitted and scored"):
        divide(units, identity, split, 1.0)


def test_an_unknown_or_empty_split_is_named(images):
    units, identity, split = images
    with pytest.raises(ValueError, match="unknown split 'test'"):
        divide(units, identity, split.astype("<U4"), 1.0)
    with pytest.raises(ValueError, match="no image has the split 'testing'"):
        divide(units[:32], identity[:32], split[:32], 1.0)


def test_factors_with_the_same_images_share_a_decomposition(images, rng):
    partition = divide(*images, 1.0)
    first = basis(partition, partition.fitting)
    assert basis(partition, partition.fitting.copy()) is first
    fewer = partition.fitting.copy()
    fewer[0] = False
    assert len(basis(partition, fewer)[0].scores) == len(first[0].scores) - 1


def test_all_images_are_brought_into_the_basis(images):
    partition = divide(*images, 1.0)
    spectrum, scores = basis(partition, partition.fitting)
    np.testing.assert_allclose(scores[partition.fitting], spectrum.scores, atol=1e-12)
    assert len(scores) == 48


def test_a_factor_without_labels_in_a_part_is_named(images):
    partition = divide(*images, 1.0)
    known = ~partition.tuning
    with pytest.raises(ValueError, match="'age_years' has no label on any validation image"):
        require_labels(partition, known, "age_years")


def crossed(units, identity, split, folds=4):
    return cross(units, identity, split, 1.0, folds=folds, seed=0)


@pytest.fixture
def few(images):
    units, identity, split = images
    return units, identity, np.where(split == "training", "training", "testing")


def test_everyone_in_testing_is_scored_once_by_decoders_that_never_met_them(few):
    partition = crossed(*few)
    identity, scored = few[1], np.sum([each.scoring for each in partition.rounds], axis=0)
    np.testing.assert_array_equal(scored, few[2] == "testing")
    assert len(partition.rounds) == 4
    for each in partition.rounds:
        assert not np.intersect1d(identity[each.fitting], identity[each.scoring]).size
        assert set(range(4)) <= set(identity[each.fitting])  # those in training
        for fitted, asked in each.tuning:
            for one, other in ((fitted, asked), (fitted, each.scoring), (asked, each.scoring)):
                assert not np.intersect1d(identity[one], identity[other]).size


def test_a_penalty_is_tuned_on_every_other_fold(few):
    for each in crossed(*few).rounds:
        asked = np.sum([asked for _, asked in each.tuning], axis=0)
        np.testing.assert_array_equal(asked, (few[2] == "testing") & ~each.scoring)


def test_two_folds_left_out_in_either_order_share_a_decomposition(few):
    partition = crossed(*few)
    for each in partition.rounds:
        for fitted, _ in each.tuning:
            basis(partition, fitted)
    assert len(partition.bases) == 4 * 3 / 2


def test_fewer_people_than_folds_are_left_out_one_at_a_time(few):
    assert len(crossed(*few, folds=99).rounds) == 8


@pytest.mark.parametrize(("folds", "people"), [(2, 12), (5, 2)])
def test_too_few_folds_or_people_to_cross_are_refused(few, folds, people):
    units, identity, _ = few
    split = np.where(identity < people, "testing", "training")
    with pytest.raises(ValueError, match=f"{folds} folds of {people} testing identities"):
        crossed(units, identity, split, folds)


def test_an_identity_in_training_and_testing_is_refused_where_people_are_crossed(few):
    units, identity, split = few
    identity[20] = 2
    with pytest.raises(ValueError, match=r"both fitted and scored \(2\)"):
        crossed(units, identity, split)
