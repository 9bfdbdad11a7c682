"""Categorical factors: planted beside absent, by every decoder."""

import numpy as np
import pytest
from facelab_probing.categorical import DECODERS, Categorical, decode_categorical
from facelab_probing.inference import resample, tabulate
from facelab_probing.partition import divide
from facelab_probing.studies import Studies, history
from facelab_probing.tuning import TuningConfig

CONFIG = TuningConfig(
    sampler="tpe",
    trials=10,
    penalty_range=(1e-1, 1e5),
    steps_per_decade=4,
    storage="",
    seed=0,
)
NAMES = ("happy", "sad", "neutral")


@pytest.fixture
def images(rng):
    identity = np.repeat(np.arange(60), 10)
    split = np.repeat(["training", "validation", "testing"], 200)
    codes = rng.integers(3, size=600)
    units = rng.normal(size=(600, 12)) + 1.2 * rng.normal(size=(3, 12))[codes]
    return divide(units, identity, split, 0.1), codes


def decoded(partition, codes, decoders=tuple(DECODERS), within=True, classes=NAMES):
    studies = Studies(CONFIG, "layer", "")
    scored = partition.identity[partition.scoring]
    readings, predictions = decode_categorical(
        partition,
        {"expression": Categorical(codes, classes, within)},
        decoders,
        studies,
        resample(scored, 60, 0),
    )
    return tabulate(readings)[0].set_index(["decoder", "measure"]), predictions, history(studies)


@pytest.mark.parametrize("decoder", DECODERS)
def test_classes_that_were_planted_are_read_and_shuffled_ones_are_not(rng, images, decoder):
    partition, codes = images
    table, predictions, _ = decoded(partition, codes, (decoder,))
    found = table.loc[(decoder, "auc")]
    assert found["score"] > 0.8
    assert found["low"] < found["score"] < found["high"]
    assert found["score"] > found["null_high"]
    assert found["p"] < 0.05
    assert table.loc[(decoder, "balanced_accuracy"), "score"] > 0.6
    np.testing.assert_allclose(predictions[f"expression/{decoder}"].sum(axis=1), 1)
    noise = [decoded(partition, rng.permutation(codes), (decoder,))[0] for _ in range(10)]
    assert abs(np.mean([each["score"] for each in noise], axis=0)).max() < 0.08


def test_both_decoders_agree_where_gaussians_share_a_covariance(images):
    table, _, _ = decoded(*images)
    scores = table["score"].xs("auc", level="measure")
    assert scores["lda"] == pytest.approx(scores["logistic"], abs=0.03)


def test_missing_codes_are_skipped_but_their_images_are_predicted(images):
    partition, codes = images
    holes = codes.copy()
    holes[::4] = -1
    table, predictions, _ = decoded(partition, holes, ("lda",))
    assert (table["n"] == (holes[partition.scoring] >= 0).sum()).all()
    assert (predictions["expression/lda"].argmax(1) == codes)[holes < 0].mean() > 0.6


def test_a_factor_of_identities_is_tested_on_identities(rng, images):
    """A guess that follows the identity has a wide null: 20 labels are shuffled, not 200."""
    partition, _ = images
    code = rng.integers(2, size=60)[partition.identity]
    person = rng.normal(size=(60, 12))[partition.identity]
    partition.units[:] = person + 0.1 * rng.normal(size=(600, 12))
    by_identity, _, _ = decoded(partition, code, ("lda",), False, ("f", "m"))
    by_image, _, _ = decoded(partition, code, ("lda",), True, ("f", "m"))
    high = [table.loc[("lda", "auc"), "null_high"] for table in (by_identity, by_image)]
    assert high[0] > 2 * high[1]


def test_the_penalty_has_the_best_validation_score_in_the_history(images):
    table, _, tried = decoded(*images, ("lda",))
    best = tried.loc[tried["score"] == tried["score"].max(), "penalty"].max()
    assert table.loc[("lda", "auc"), "penalty"] == best
