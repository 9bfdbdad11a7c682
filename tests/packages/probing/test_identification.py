"""Identity among people never met: read when planted, not otherwise."""

import numpy as np
import pytest
from facelab_probing.identification import decode_identity, stratify
from facelab_probing.inference import resample, tabulate
from facelab_probing.partition import cross, divide
from facelab_probing.studies import Studies, history
from facelab_probing.tuning import TuningConfig

CONFIG = TuningConfig(
    sampler="tpe",
    trials=8,
    penalty_range=(1e-1, 1e5),
    steps_per_decade=4,
    storage="",
    seed=0,
)
IDENTITIES, EACH = 30, 16


def decoded(rng, strength, decoder="lda", *, bare=False):
    identity = np.repeat(np.arange(IDENTITIES), EACH) + 100
    split = np.repeat(["training", "validation", "testing"], 10 * EACH)
    units = strength * rng.normal(size=(IDENTITIES, 12))[identity - 100]
    units += rng.normal(size=units.shape)
    partition = divide(units, identity, split, 0.1)
    studies = Studies(CONFIG, "layer", "")
    resamples = resample(partition.identity[partition.scoring], 100, 0)
    readings, predictions = decode_identity(partition, (decoder,), 4, studies, resamples)
    table = {reading.measure: reading for reading in readings}
    if not bare:
        table = tabulate(readings)[0].set_index("measure")
    return table, predictions[f"identity/{decoder}"], history(studies), partition


@pytest.mark.parametrize("decoder", ["lda", "logistic"])
def test_identity_is_read_when_planted(rng, decoder):
    table, shares, _, partition = decoded(rng, 1.0, decoder)
    assert (table["score"] > table["null_high"]).all()
    assert table.loc["auc", "score"] > 0.85
    assert (table["low"] <= table["score"]).all()
    assert (table["score"] <= table["high"]).all()
    assert (table["p"] < 0.02).all()
    assert table.loc["auc", ["n", "identities"]].tolist() == [160, 10]
    seen = np.isfinite(shares).all(axis=1)
    np.testing.assert_array_equal(seen, partition.scoring)
    np.testing.assert_allclose(shares[seen].sum(axis=1), 1)


def test_identity_is_not_read_when_absent(rng):
    table, _, _, _ = decoded(rng, 0.0)
    assert (table["p"] > 0.05).all()
    assert (table["score"] < 0.12).all()


def test_the_null_is_as_wide_as_scores_of_nothing(rng):
    """Both sides of a comparison between two folds agree: kept predictions miss that."""
    scores, widths = [], []
    for _ in range(60):
        table, *_ = decoded(rng, 0.0, bare=True)
        scores.append(table["auc"].score)
        widths.append(table["auc"].null.std())
    assert np.std(scores) == pytest.approx(np.mean(widths), rel=0.25)
    assert abs(np.mean(scores)) < np.std(scores)


def test_the_penalty_comes_from_the_validation_identities(rng):
    """Testing images are replaced by noise; what was tried and found stays the same."""
    first, _, tried, _ = decoded(np.random.default_rng(1), 1.0)
    identity = np.repeat(np.arange(IDENTITIES), EACH) + 100
    again = np.random.default_rng(1)
    units = again.normal(size=(IDENTITIES, 12))[identity - 100]
    units += again.normal(size=units.shape)
    units[identity >= 120] = rng.normal(size=(10 * EACH, 12))
    split = np.repeat(["training", "validation", "testing"], 10 * EACH)
    partition = divide(units, identity, split, 0.1)
    studies = Studies(CONFIG, "layer", "")
    resamples = resample(partition.identity[partition.scoring], 20, 0)
    readings, _ = decode_identity(partition, ("lda",), 4, studies, resamples)
    assert history(studies).equals(tried)
    assert readings[0].penalty == first["penalty"].iloc[0]
    assert readings[0].score < first["score"].iloc[0] / 2


def test_folds_hold_every_identity_evenly(rng):
    codes = rng.permutation(np.repeat(np.arange(7), 8))
    fold = stratify(codes, 4, rng)
    table = np.zeros((7, 4), int)
    np.add.at(table, (codes, fold), 1)
    assert (table == 2).all()


def test_one_image_of_an_identity_is_too_few(rng):
    with pytest.raises(ValueError, match="fewest images of an identity 1"):
        stratify(np.array([0, 0, 1]), 2, rng)


def crossed(rng, strength, folds=4):
    """Ten people, nobody in validation."""
    identity = np.repeat(np.arange(10), EACH)
    units = strength * rng.normal(size=(10, 12))[identity] + rng.normal(size=(10 * EACH, 12))
    split = np.repeat("testing", len(identity))
    partition = cross(units, identity, split, 0.1, folds=5, seed=0)
    studies = Studies(CONFIG, "layer", "")
    resamples = resample(identity, 100, 0)
    readings, predictions = decode_identity(partition, ("lda",), folds, studies, resamples)
    return tabulate(readings)[0].set_index("measure"), predictions["identity/lda"]


def test_identity_of_few_people_is_read_when_planted_and_not_when_absent(rng):
    table, shares = crossed(rng, 1.0)
    assert table.loc["auc", "score"] > 0.85
    assert (table["p"] < 0.02).all()
    assert table.loc["auc", ["n", "identities"]].tolist() == [160, 10]
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    table, _ = crossed(rng, 0.0)
    assert (table["score"] < 0.12).all()


def test_two_folds_leave_nothing_to_tune_on(rng):
    with pytest.raises(ValueError, match="folds 2 must be at least 3"):
        crossed(rng, 1.0, folds=2)
