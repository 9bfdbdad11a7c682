"""Penalties found by Optuna, beside the whole lattice."""

from dataclasses import replace

import numpy as np
import pytest
from facelab_probing.tuning import SAMPLERS, TuningConfig, lattice, tune

CONFIG = TuningConfig(
    sampler="tpe",
    trials=25,
    penalty_range=(1e-2, 1e6),
    steps_per_decade=8,
    storage="",
    seed=0,
)
NAMES = {"factor": "age", "study": "layer/age/ridge", "key": "k"}


def hill(penalties, *tops):
    """Scores that fall off from a penalty of their own, per target."""
    away = np.log10(penalties)[:, None] - np.log10(np.array(tops))
    return 0.8 - 0.05 * away**2


@pytest.mark.parametrize("sampler", ["tpe", "grid"])
def test_the_best_penalty_is_near_the_best_of_the_whole_lattice(sampler):
    penalties = lattice(CONFIG)
    curves = hill(penalties, 30.0, 2e4)
    tuned = tune(curves.__getitem__, ["a", "b"], replace(CONFIG, sampler=sampler), **NAMES)
    np.testing.assert_allclose(tuned.scores, curves.max(axis=0), atol=0.01)
    assert tuned.penalties[0] < tuned.penalties[1]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_trial_is_in_the_history_with_an_exact_score(sampler):
    penalties = lattice(CONFIG)
    curves = hill(penalties, 30.0)
    config = replace(CONFIG, sampler=sampler, trials=9)
    table = tune(curves.__getitem__, ["a"], config, **NAMES).history
    assert table["trial"].tolist() == list(range(9))
    steps = np.searchsorted(penalties, table["penalty"] * 0.999)
    np.testing.assert_allclose(table["score"], curves[steps, 0])


def test_a_penalty_is_scored_once():
    asked = []

    def score_at(step):
        asked.append(step)
        return np.zeros(1)

    tune(score_at, ["a"], replace(CONFIG, trials=40, steps_per_decade=1), **NAMES)
    assert len(asked) == len(set(asked)) <= 9


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_study_ends_when_no_penalty_is_left(sampler):
    config = replace(CONFIG, sampler=sampler, trials=500, steps_per_decade=1)
    penalties = lattice(config)
    table = tune(lambda step: np.full(1, step), ["a"], config, **NAMES).history
    assert set(table["penalty"]) == set(penalties)
    assert len(table) < 500


def test_the_same_seed_tries_the_same():
    curves = hill(lattice(CONFIG), 30.0)
    tables = [tune(curves.__getitem__, ["a"], CONFIG, **NAMES).history for _ in range(2)]
    assert tables[0].equals(tables[1])


def test_of_equal_penalties_the_strongest_is_kept():
    penalties = lattice(CONFIG)
    tuned = tune(lambda step: np.zeros(1), ["a"], replace(CONFIG, sampler="grid"), **NAMES)
    assert tuned.penalties[0] == pytest.approx(penalties[-1])


def test_a_stored_study_is_continued_only_with_the_same_data(tmp_path):
    curves = hill(lattice(CONFIG), 30.0)
    config = replace(CONFIG, storage=str(tmp_path / "studies.log"), trials=6)

    def interrupted(step):
        if len(asked) == 3:
            raise KeyboardInterrupt
        asked.append(step)
        return curves[step]

    asked = []
    with pytest.raises(KeyboardInterrupt):
        tune(interrupted, ["a"], config, **NAMES)
    resumed = tune(curves.__getitem__, ["a"], config, **NAMES)
    whole = tune(curves.__getitem__, ["a"], replace(config, storage=""), **NAMES)
    assert resumed.history.equals(whole.history)
    with pytest.raises(ValueError, match="other data"):
        tune(curves.__getitem__, ["a"], config, **{**NAMES, "key": "other"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"penalty_range": (1.0, 0.1)}, "penalty_range"),
        ({"trials": 0}, "trials 0"),
        ({"sampler": "luck"}, "unknown sampler 'luck'; choose from tpe"),
    ],
)
def test_a_bad_value_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        tune(lambda step: np.zeros(1), ["a"], replace(CONFIG, **change), **NAMES)
