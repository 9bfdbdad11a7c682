import numpy as np
import pytest
from facelab_data.splits import (
    Splits,
    assign,
    check,
    check_disjoint,
    divide,
    hold_out,
    official,
)

THIRDS = Splits(training=0.7, validation=0.15, testing=0.15, holdout=0.125)


def people(identity, split, *names):
    return set(identity[np.isin(split, names)].tolist())


def test_no_person_is_on_two_sides_except_that_held_out_images_show_training_people(rng):
    identity = rng.permutation(np.repeat(np.arange(60), 16))
    split = assign(identity, THIRDS, seed=3)
    check(identity, split)
    assert people(identity, split, "holdout") == people(identity, split, "training")
    assert len(people(identity, split, "training")) == 42
    assert (split == "holdout").sum() == 42 * 16 / 8


def test_every_identity_of_four_images_gives_one_to_holdout_and_keeps_some():
    identity = np.repeat(np.arange(10), 4)
    held = hold_out(identity, np.ones(40, bool), 0.01, np.random.default_rng(0))
    assert (np.bincount(identity[held]) == 1).all()
    most = hold_out(identity, np.ones(40, bool), 0.99, np.random.default_rng(0))
    assert (np.bincount(identity[~most], minlength=10) >= 1).all()


def test_what_rounding_loses_in_one_identity_is_made_up_for_in_the_next():
    identity = np.repeat(np.arange(100), 20)
    held = hold_out(identity, np.ones(2000, bool), 0.125, np.random.default_rng(0))
    assert held.sum() == 250
    assert set(np.bincount(identity[held])) == {2, 3}


def test_held_out_images_are_spread_over_the_label_they_are_balanced_by(rng):
    identity = np.repeat(np.arange(56), 14)
    expression = np.tile(np.repeat(np.arange(7), 2), 56)
    everything = np.ones(len(identity), bool)
    balanced = hold_out(identity, everything, 1 / 7, rng, balance=expression)
    assert (np.bincount(expression[balanced]) == 16).all()
    free = hold_out(identity, everything, 1 / 7, rng)
    assert np.ptp(np.bincount(expression[free], minlength=7)) > 2


def test_identities_are_divided_evenly_within_each_stratum():
    strata = np.repeat(["a", "b"], [80, 20])
    split = divide(strata, THIRDS, np.random.default_rng(1))
    for stratum, size in [("a", 80), ("b", 20)]:
        counts = [(split[strata == stratum] == part).sum() for part in ("validation", "testing")]
        assert np.abs(np.array(counts) - 0.15 * size).max() <= 1


def test_the_seed_decides():
    identity = np.repeat(np.arange(30), 8)
    one, again, other = (assign(identity, THIRDS, seed) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_a_part_that_has_a_share_is_never_empty():
    split = divide(
        np.zeros(3), Splits(training=0.98, validation=0.01, testing=0.01, holdout=0), generator()
    )
    assert sorted(split) == ["testing", "training", "validation"]
    with pytest.raises(ValueError, match=r"^2 identities cannot fill 3 splits$"):
        divide(np.zeros(2), THIRDS, generator())


def generator():
    return np.random.default_rng(0)


def test_shared_identities_are_named():
    check_disjoint(np.array([1, 2]), np.array([3, 4]), "a and b")
    with pytest.raises(ValueError, match=r"^a and b share 2 identities: 2, 7$"):
        check_disjoint(np.array([1, 2, 7]), np.array([7, 2]), "a and b")
    split = np.array(["holdout", "training", "testing"])
    with pytest.raises(ValueError, match="training and testing share 1 identities: 5"):
        check(np.array([5, 6, 5]), split)


def test_other_peoples_spellings_of_splits_are_understood():
    assert official(np.array(["Train", "val", " test", "holdout"])).tolist() == [
        "training",
        "validation",
        "testing",
        "holdout",
    ]
    with pytest.raises(ValueError, match="unknown split 'PublicTest'; known are"):
        official(np.array(["train", "PublicTest"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": -0.1}, "splits.training is -0.1"),
        ({"testing": 0.2}, "add up to 1.05, not to 1"),
        ({"holdout": 1}, "leaves nothing to train on"),
        ({"holdout": float("nan")}, "splits.holdout is nan"),
    ],
)
def test_impossible_fractions_are_refused(change, message):
    values = {"training": 0.7, "validation": 0.15, "testing": 0.15, "holdout": 0.1} | change
    with pytest.raises(ValueError, match=message):
        Splits(**values)
