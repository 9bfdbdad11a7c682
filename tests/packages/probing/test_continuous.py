"""Continuous factors: planted, absent, missing, and many at once."""

import numpy as np
import pytest
from facelab_probing.continuous import Continuous, decode_continuous
from facelab_probing.inference import resample, tabulate
from facelab_probing.partition import divide
from facelab_probing.studies import Studies
from facelab_probing.tuning import TuningConfig

CONFIG = TuningConfig(
    sampler="tpe",
    trials=24,
    penalty_range=(1e-1, 1e6),
    steps_per_decade=4,
    storage="",
    seed=0,
)
IDENTITIES, EACH = 64, 20


def planted(rng, units=20):
    identity = np.repeat(np.arange(IDENTITIES), EACH)
    split = np.repeat(["training", "validation", "testing"], [32 * EACH, 16 * EACH, 16 * EACH])
    return divide(rng.normal(size=(len(identity), units)), identity, split, 0.1)


def decoded(partition, shuffles=50, **factors):
    scored = partition.identity[partition.scoring]
    readings, predictions = decode_continuous(
        partition, factors, Studies(CONFIG, "layer", ""), resample(scored, shuffles, 0)
    )
    return tabulate(readings)[0].set_index("target"), predictions


def test_targets_of_different_noise_take_different_penalties(rng):
    partition = planted(rng, 100)
    signal = partition.units @ rng.normal(size=(100, 2)) / 10
    targets = signal + rng.normal(size=signal.shape) * [0.05, 5]
    table, _ = decoded(partition, shape=Continuous(targets, ("clear", "noisy"), True))
    assert table.loc["noisy", "penalty"] > 20 * table.loc["clear", "penalty"]
    assert table.loc["clear", "score"] > 0.98
    assert table.loc["clear", "p"] < 0.05


def test_the_summaries_are_the_mean_and_the_best_on_validation(rng):
    partition = planted(rng)
    targets = partition.units[:, :3] + rng.normal(size=(len(partition.units), 3)) * [1, 0.1, 3]
    names = ("a", "b", "c")
    table, predictions = decoded(partition, shape=Continuous(targets, names, True))
    assert table.loc["mean", "score"] == pytest.approx(table.loc[list(names), "score"].mean())
    columns = ["penalty", "score", "low", "high"]
    assert table.loc["best", columns].tolist() == table.loc["b", columns].tolist()
    assert predictions["shape/ridge"].shape == targets.shape


def test_being_the_best_of_many_does_not_flatter_noise(rng):
    partition = planted(rng)
    targets = rng.normal(size=(len(partition.units), 60))
    names = tuple(f"t{i}" for i in range(60))
    table, _ = decoded(partition, shape=Continuous(targets, names, True))
    assert table.loc[list(names), "score"].max() > table.loc["best", "score"]
    assert table.loc["mean", "score"] <= 0


def test_factors_fitted_together_equal_factors_fitted_alone(rng):
    partition = planted(rng)
    parts = {
        name: Continuous(partition.units[:, i : i + 1] + rng.normal(size=(1280, 1)), (name,), True)
        for i, name in enumerate("ab")
    }
    together, _ = decoded(partition, **parts)
    for name, factor in parts.items():
        alone, _ = decoded(partition, **{name: factor})
        assert together.loc[name, "score"] == pytest.approx(alone.loc[name, "score"])


def test_missing_labels_are_skipped_but_their_images_are_predicted(rng):
    partition = planted(rng)
    whole = partition.units[:, :1] + rng.normal(size=(1280, 1)) * 0.1
    holes = whole.copy()
    holes[::3] = np.nan
    table, predictions = decoded(
        partition, a=Continuous(whole, ("a",), True), b=Continuous(holes, ("b",), True)
    )
    assert table.loc["b", "n"] == np.isfinite(holes[partition.scoring]).sum()
    assert table.loc["a", "n"] == partition.scoring.sum()
    np.testing.assert_allclose(predictions["b/ridge"], whole, atol=0.6)


def test_a_target_that_does_not_vary_has_no_score_and_is_no_part_of_the_mean(rng):
    partition = planted(rng)
    targets = np.column_stack([partition.units[:, 0], np.ones(1280)])
    table, _ = decoded(partition, shape=Continuous(targets, ("a", "flat"), True))
    assert np.isnan(table.loc["flat", "score"])
    assert table.loc["mean", "score"] == pytest.approx(table.loc["a", "score"])
