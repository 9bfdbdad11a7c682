"""Decoding a layer: what was planted is found, what was not is not, and nothing leaks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from facelab_probing.decoding import DecodeConfig, decode
from facelab_probing.folds import grouped_folds
from facelab_probing.inference import COLUMNS, over_seeds
from facelab_probing.leaveout import cross_decode
from facelab_probing.tuning import TuningConfig
from scipy.stats import kstest
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict

CONFIG = DecodeConfig(
    continuous=("ridge",),
    categorical=("lda",),
    identity=(),
    tuning=TuningConfig(
        sampler="tpe",
        trials=20,
        penalty_range=(1e-1, 1e6),
        steps_per_decade=4,
        storage="",
        seed=0,
    ),
    folds=4,
    identity_folds=4,
    permutations=99,
)


def people(parts, each):
    """Identity and split of `each` images of training, validation and testing identities."""
    names = ["training", "validation", "testing"]
    return np.repeat(np.arange(sum(parts)), each), np.repeat(np.repeat(names, parts), each)


def decoded(units, table, identity, split, config=CONFIG, *, level="image", seed=0, **outputs):
    table = pd.DataFrame(table)
    outputs = outputs or {name: (name,) for name in table}
    first = {name: table[columns[0]] for name, columns in outputs.items()}
    numeric = pd.api.types.is_float_dtype
    return decode(
        units,
        table,
        outputs,
        kinds={n: "continuous" if numeric(c) else "categorical" for n, c in first.items()},
        levels=dict.fromkeys(outputs, level),
        split=split,
        identity=identity,
        config=config,
        seed=seed,
    )


@pytest.fixture
def small(rng):
    identity, split = people((12, 6, 6), 12)
    split = split.astype("<U10")
    split[:140:12] = "holdout"
    units = rng.normal(size=(288, 10)) + 0.8 * rng.normal(size=(24, 10))[identity]
    table = {
        "age_years": units[:, 0] + rng.normal(size=288),
        "expression": np.where(units[:, 1] + rng.normal(size=288) > 0, "happy", "sad"),
    }
    return units, table, identity, split


def test_a_planted_r_squared_is_found(rng):
    identity, split = people((144, 48, 48), 32)
    units = rng.normal(size=(len(identity), 64))
    weights = rng.normal(size=(64, 20))
    signal = units @ weights / np.linalg.norm(weights, axis=0)
    targets = np.sqrt(0.75) * signal + np.sqrt(0.25) * rng.normal(size=signal.shape)
    names = tuple(f"shape_{i:03d}" for i in range(20))
    scores = decoded(units, dict(zip(names, targets.T, strict=True)), identity, split, shape=names)
    mean = scores.scores.set_index("target").loc["mean"]
    assert mean["score"] == pytest.approx(0.746, abs=0.01)
    assert mean["p"] == 0.01


def test_recognising_people_is_not_reading_a_factor(rng):
    """Noise that is constant within an identity: images split at random fall into the trap."""
    identity, split = people((36, 14, 14), 32)
    units = rng.normal(size=(64, 60))[identity] + 0.5 * rng.normal(size=(len(identity), 60))
    noise = rng.normal(size=(64, 10))[identity]
    guess = cross_val_predict(
        RidgeCV(np.logspace(-1, 4, 8)), units, noise, cv=KFold(5, shuffle=True, random_state=0)
    )
    assert 1 - ((noise - guess) ** 2).mean() / noise.var() > 0.5
    names = tuple(f"shape_{i:03d}" for i in range(10))
    table = dict(zip(names, noise.T, strict=True))
    scores = decoded(units, table, identity, split, level="identity", shape=names).scores
    assert scores.set_index("target").loc["mean", "score"] <= 0


@pytest.mark.parametrize("level", ["image", "identity"])
def test_p_is_uniform_and_r_squared_not_positive_when_nothing_is_there(rng, level):
    identity, split = people((40, 20, 20), 10)
    units = rng.normal(size=(80, 30))[identity] + rng.normal(size=(800, 30))
    rows = identity if level == "identity" else np.arange(800)
    names = tuple(f"t{i:03d}" for i in range(150))
    table = dict(zip(names, rng.normal(size=(800, 150))[rows].T, strict=True))
    tuning = replace(CONFIG.tuning, penalty_range=(10.0, 10.0))
    config = replace(CONFIG, permutations=199, tuning=tuning)
    scores = decoded(units, table, identity, split, config, level=level, t=names).scores
    scores = scores.set_index("target")
    assert scores.loc["mean", "score"] <= 0
    assert kstest(scores.loc[list(names), "p"], "uniform").pvalue > 0.01


def test_a_table_has_every_score_with_bounds_in_order(small):
    found = decoded(*small, replace(CONFIG, identity=("lda",), categorical=("lda", "logistic")))
    scores = found.scores
    assert list(scores) == COLUMNS
    assert scores.groupby(["factor", "decoder"]).size().to_dict() == {
        ("age_years", "ridge"): 1,
        ("expression", "lda"): 2,
        ("expression", "logistic"): 2,
        ("identity", "lda"): 2,
    }
    assert (scores["low"] <= scores["high"]).all()
    assert scores["p"].between(0.01, 1).all()
    assert (scores["score"] <= 1).all()
    assert found.statistics["values"].shape == (7, 6)
    assert found.statistics["null"].shape == (7, 99)
    assert set(found.history["factor"]) == {"age_years", "expression", "identity"}


def test_every_image_is_predicted_also_the_holdout(small):
    found = decoded(*small, replace(CONFIG, identity=("lda",)))
    assert found.predictions["age_years/ridge"].shape == (288, 1)
    assert np.isfinite(found.predictions["age_years/ridge"]).all()
    assert found.predictions["expression/lda"].shape == (288, 2)
    assert found.classes["expression"] == ("happy", "sad")
    assert found.classes["identity"] == tuple(range(18, 24))
    assert (found.scores["n"] == 72).all()


def test_holdout_and_testing_labels_have_no_say_in_the_fit(small, rng):
    units, table, identity, split = small
    first = decoded(*small)
    aside = np.isin(split, ("holdout", "testing"))
    other = {
        "age_years": np.where(aside, rng.normal(size=288), table["age_years"]),
        "expression": np.where(aside, "sad", table["expression"]),
    }
    again = decoded(units, other, identity, split)
    for name, guesses in first.predictions.items():
        np.testing.assert_array_equal(again.predictions[name], guesses)


def test_the_order_of_images_changes_nothing(small, rng):
    units, table, identity, split = small
    order = rng.permutation(288)
    moved = {name: np.asarray(values)[order] for name, values in table.items()}
    first = decoded(*small).scores
    again = decoded(units[order], moved, identity[order], split[order]).scores
    columns = ["penalty", "score", "low", "high"]
    np.testing.assert_allclose(again[columns], first[columns], rtol=1e-6)


def test_the_same_seed_gives_the_same_and_another_other_shuffles(small):
    first, again, other = (decoded(*small, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first.scores, again.scores)
    assert first.scores["score"].equals(other.scores["score"])
    assert first.scores["low"].equals(other.scores["low"])
    assert not first.scores["null_high"].equals(other.scores["null_high"])


def test_missing_labels_of_any_kind_are_skipped(small):
    units, table, identity, split = small
    table = {**table, "background": np.tile([0, 1, 2], 96)}
    holes = np.arange(288) % 5 == 0
    table["age_years"] = np.where(holes, np.nan, table["age_years"])
    table["expression"] = np.where(holes, None, table["expression"])
    table["background"] = np.where(holes, -1, table["background"])
    found = decoded(units, table, identity, split)
    assert found.classes["background"] == (0, 1, 2)
    assert (found.scores["n"] == (~holes)[split == "testing"].sum()).all()


def test_training_seeds_are_combined(small, rng):
    units = small[0]
    seeds = [decoded(units + 0.3 * rng.normal(size=units.shape), *small[1:]) for _ in range(3)]
    table = over_seeds([s.scores for s in seeds], [s.statistics for s in seeds])
    assert list(table) == COLUMNS
    mean = np.mean([s.scores["score"] for s in seeds], axis=0)
    np.testing.assert_allclose(table["score"], mean)
    assert (table["low"] < table["score"]).all()
    assert (table["score"] < table["high"]).all()


@pytest.fixture
def few(rng):
    """Ten people, 21 images each, nobody in validation: a code of yaw and of expression."""
    identity = np.repeat(np.arange(10), 21)
    units = rng.normal(size=(210, 20)) + rng.normal(size=(10, 20))[identity]
    expression = np.tile(np.arange(7), 30)
    yaw = rng.normal(size=210)
    units[:, 0] += 4 * yaw
    units[:, 1:8] += 4 * np.eye(7)[expression]
    table = {"yaw_deg": yaw, "expression": np.array(list("abcdefg"))[expression]}
    return units, table, identity, np.repeat("testing", 210)


def test_few_people_are_crossed_and_all_of_them_scored(few):
    config = replace(CONFIG, identity=("lda",))
    found = decoded(*few, config)
    scores = found.scores.set_index(["factor", "measure"])
    assert (scores["n"] == 210).all()
    assert (scores["identities"] == 10).all()
    for factor in (("yaw_deg", "r2"), ("expression", "auc"), ("identity", "auc")):
        assert scores.loc[factor, "score"] > 0.6
        assert scores.loc[factor, "score"] > scores.loc[factor, "null_high"]
        assert scores.loc[factor, "low"] < scores.loc[factor, "score"]
    assert set(found.history["fold"]) == set(range(4))
    assert all(np.isfinite(guesses).all() for guesses in found.predictions.values())


def test_crossed_ridge_predicts_as_leaving_identities_out_does(few):
    """Where moments are summed per fold instead of decomposing images: the same decoder."""
    units, table, identity, split = few
    tuning = replace(CONFIG.tuning, sampler="grid", trials=99)
    config = replace(CONFIG, tuning=tuning, identity_folds=5)
    found = decoded(units, table, identity, split, config)
    truth = table["yaw_deg"][:, None]
    oracle = cross_decode(units, truth, identity, folds=5, tuning=tuning, seed=0, factor="yaw")
    np.testing.assert_allclose(found.predictions["yaw_deg/ridge"], oracle.predictions, atol=1e-6)


def test_a_crossed_penalty_ignores_the_people_it_is_used_on(few, rng):
    """One fold's labels are replaced by noise: what was tuned for it stays, for others not."""
    units, table, identity, split = few
    first = decoded(*few)
    fold = grouped_folds(identity, 4, seed=0)
    yaw = np.where(fold == 1, rng.normal(size=210), table["yaw_deg"])
    again = decoded(units, table | {"yaw_deg": yaw}, identity, split)
    tried = [each.history[each.history["factor"] == "yaw_deg"] for each in (first, again)]
    same, other = ([table[table["fold"] == number] for table in tried] for number in (1, 2))
    pd.testing.assert_frame_equal(*same)
    assert not other[0]["score"].equals(other[1]["score"])
    guesses = [each.predictions["yaw_deg/ridge"][fold == 1] for each in (first, again)]
    np.testing.assert_array_equal(*guesses)


def test_recognising_crossed_people_is_not_reading_a_factor(rng):
    identity = np.repeat(np.arange(10), 21)
    units = rng.normal(size=(10, 30))[identity] + 0.3 * rng.normal(size=(210, 30))
    noise = {f"t{i}": rng.normal(size=10)[identity] for i in range(20)}
    names = tuple(noise)
    split = np.repeat("testing", 210)
    scores = decoded(units, noise, identity, split, level="identity", shape=names).scores
    assert scores.set_index("target").loc["mean", "score"] <= 0


def test_nothing_is_read_of_crossed_people_where_nothing_is_there(few, rng):
    units, table, identity, split = few
    scores = []
    for _ in range(8):
        shuffled = {name: rng.permutation(values) for name, values in table.items()}
        scores.append(decoded(units, shuffled, identity, split).scores["score"])
    assert np.mean(scores, axis=0).max() < 0.05


def test_an_identity_on_two_sides_is_refused(small):
    units, table, identity, split = small
    identity = np.where(identity == 20, 3, identity)
    with pytest.raises(ValueError, match=r"both fitted and scored \(3\)"):
        decoded(units, table, identity, split)


def test_a_factor_that_changes_within_an_identity_is_not_of_identities(small):
    with pytest.raises(ValueError, match="'age_years' has level 'identity' but varies"):
        decoded(*small, level="identity")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"categorical": ("svm",)}, "unknown categorical decoder: 'svm'; choose from logistic"),
        ({"continuous": ("lasso",)}, "unknown continuous decoder: 'lasso'; choose from ridge"),
    ],
)
def test_an_unknown_decoder_is_named(small, change, message):
    with pytest.raises(ValueError, match=message):
        decoded(*small, replace(CONFIG, **change))


def test_a_stored_study_is_not_continued_with_other_units(small, tmp_path):
    tuning = replace(CONFIG.tuning, storage=str(tmp_path / "studies.log"), trials=4)
    config = replace(CONFIG, tuning=tuning)
    first = decoded(*small, config)
    pd.testing.assert_frame_equal(decoded(*small, config).scores, first.scores)
    with pytest.raises(ValueError, match="other data"):
        decoded(small[0] + 1, *small[1:], config)
