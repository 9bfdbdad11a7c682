"""Images divided by identity."""

import numpy as np
import pytest
from facelab_probing.partition import basis, divide, require_labels


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
    everything = np.ones(48, bool)
    first = basis(partition, everything)
    assert basis(partition, everything.copy()) is first
    fewer = everything.copy()
    fewer[0] = False
    assert len(basis(partition, fewer)[0].scores) == len(first[0].scores) - 1


def test_all_images_are_brought_into_the_basis(images):
    partition = divide(*images, 1.0)
    spectrum, scores = basis(partition, np.ones(48, bool))
    np.testing.assert_allclose(scores[partition.fitting], spectrum.scores, atol=1e-12)
    assert len(scores) == 48


def test_a_factor_without_labels_in_a_part_is_named(images):
    partition = divide(*images, 1.0)
    known = ~partition.tuning
    with pytest.raises(ValueError, match="'age_years' has no label on any validation image"):
        require_labels(partition, known, "age_years")
