"""Intervals, nulls, and training seeds put together."""

import numpy as np
import pytest
from facelab_probing.inference import (
    COLUMNS,
    Reading,
    blocks_and_orders,
    orders,
    over_seeds,
    resample,
    tabulate,
)
from facelab_probing.intervals import mean_over_identities
from facelab_probing.jackknife import auc_left_out, pseudovalues
from facelab_probing.resampling import auc_null, r2_null, shuffled
from facelab_probing.scores import r_squared, scaled_auc
from scipy.stats import kstest, norm


def reading(score, values, null, target="a"):
    parts = score, np.asarray(values, float), np.asarray(null, float)
    return Reading("shape", target, "ridge", 10.0, "r2", *parts, 96, 12)


def test_p_counts_the_score_among_its_null():
    table, _ = tabulate([reading(0.5, [0.4, 0.6], np.linspace(0, 0.99, 100))])
    assert table["p"].item() == pytest.approx(51 / 101, abs=0.011)
    table, _ = tabulate([reading(2.0, [0.4, 0.6], np.zeros(99))])
    assert table["p"].item() == 0.01


def test_columns_are_in_order_and_so_are_the_bounds(rng):
    table, statistics = tabulate([reading(0.5, rng.normal(0.5, 0.1, 40), rng.normal(size=50))])
    assert list(table) == COLUMNS
    row = table.iloc[0]
    assert row["low"] < row["score"] < row["high"]
    assert statistics["values"].shape == (1, 40)
    assert statistics["null"].shape == (1, 50)


def test_near_perfection_the_interval_is_skewed_and_covers_more_than_a_symmetric_one(rng):
    """AUC of a factor of 48 identities; what is missing to 1 comes from few of them."""
    members, codes = np.repeat(np.arange(48), 4), np.repeat([0, 1], 96)
    truth = 2 * norm.cdf(4 / np.sqrt(2 * (1 + 1))) - 1
    readings = []
    for _ in range(200):
        guesses = 4 * codes + rng.normal(size=48)[members] + rng.normal(size=192)
        shares = np.column_stack([-guesses, guesses])
        score = scaled_auc(codes, shares)
        values = pseudovalues(score, auc_left_out(codes, shares, members, 48), members)
        readings.append(reading(score, values, [0.0]))
    table, statistics = tabulate(readings)
    symmetric = mean_over_identities(statistics["values"][None])
    covered, plain = (
        ((each["low"] <= truth) & (truth <= each["high"])).mean() for each in (table, symmetric)
    )
    assert (table["high"] <= 1).all()
    assert 0.86 < covered <= 0.98
    assert covered > plain + 0.02


def test_a_perfect_score_is_its_own_interval():
    table, _ = tabulate([reading(1.0, np.ones(12), [0.0])])
    assert (table[["low", "high"]] == 1).all(axis=None)


def test_a_score_that_is_undefined_has_no_interval_and_no_p():
    table, _ = tabulate([reading(np.nan, [np.nan, np.nan], [np.nan])])
    assert table[["low", "high", "null_high", "p"]].isna().all(axis=None)


def test_orders_depend_on_the_seed_and_the_factor_alone():
    identity = np.repeat([3, 5, 9, 11], 6)
    first, again = (resample(identity, 5, 7) for _ in range(2))
    strata = np.zeros(30, int)
    np.testing.assert_array_equal(first.identities, [3, 5, 9, 11])
    np.testing.assert_array_equal(orders(first, strata, "age"), orders(again, strata, "age"))
    assert (np.sort(orders(first, strata, "age"), axis=1) == np.arange(30)).all()
    assert not np.array_equal(orders(first, strata, "age"), orders(first, strata, "gender"))


def test_labels_of_images_stay_within_their_identity(rng):
    members = rng.permutation(np.repeat(np.arange(5), 6))
    blocks, mixed = blocks_and_orders(resample(members, 20, 0), members, True, "yaw")
    np.testing.assert_array_equal(blocks, np.arange(30))
    assert (np.sort(mixed, axis=1) == np.arange(30)).all()
    assert (members[mixed] == members).all()
    assert (mixed != np.arange(30)).mean() > 0.7


def test_identities_of_one_image_are_shuffled_among_themselves():
    members = np.append(np.zeros(4, int), np.arange(1, 9))
    mixed = orders(resample(members, 50, 0), members, "yaw")
    assert (mixed[:, :4] < 4).all()
    assert (mixed[:, 4:] >= 4).all()
    assert (mixed[:, 4:] != np.arange(4, 12)).mean() > 0.7


def p_of(score, null):
    return (1 + (null >= score).sum()) / (1 + len(null))


@pytest.mark.parametrize("labels", ["drawn", "counterbalanced", "clustered"])
def test_p_is_uniform_when_images_know_their_identity_and_not_their_label(rng, labels):
    """However labels are spread over identities; guesses differ between identities."""
    members = np.repeat(np.arange(16), 8)
    tilt = {"drawn": 0, "counterbalanced": 0, "clustered": 1.5}[labels]
    found = []
    for trial in range(200):
        odds = tilt * rng.normal(size=16)[members] + rng.logistic(size=128)
        codes = (odds > 0).astype(int)
        if labels == "counterbalanced":
            codes = rng.permuted(np.tile([0, 1], (16, 4)), axis=1).ravel()
        guesses = rng.normal(size=16)[members] + 0.5 * rng.normal(size=128)
        shares = np.column_stack([-guesses, guesses])
        mixing = blocks_and_orders(resample(members, 99, trial), members, True, "smile")
        null = auc_null(shuffled(codes, *mixing), shares)
        found.append(p_of(scaled_auc(codes, shares), null))
    assert kstest(found, "uniform").pvalue > 0.01


def test_p_of_labels_of_identities_is_uniform_and_images_would_mislead(rng):
    members, found, naive = np.repeat(np.arange(20), 5), [], []
    for trial in range(200):
        targets = rng.normal(size=20)[members, None]
        guesses = (rng.normal(size=20)[members] + 0.5 * rng.normal(size=100))[:, None]
        resamples = resample(members, 59, trial)
        null = r2_null(targets, guesses, *blocks_and_orders(resamples, members, False, "age"))
        found.append(p_of(r_squared(targets, guesses), null))
        images = np.arange(100), orders(resamples, 0 * members, "age")
        if trial < 60:
            naive.append(p_of(r_squared(targets, guesses), r2_null(targets, guesses, *images)))
    assert kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(naive) <= 0.05) > 0.15


def test_one_training_seed_is_left_as_it_is(rng):
    table, statistics = tabulate([reading(0.5, rng.normal(size=300), rng.normal(size=99))])
    both = over_seeds([table], [statistics])
    columns = COLUMNS[5:]
    np.testing.assert_allclose(both[columns].astype(float), table[columns].astype(float))
    assert both["penalty"].item() == pytest.approx(10)


def test_seeds_that_differ_widen_the_interval_around_their_mean(rng):
    values = rng.normal(0, 0.02, 48)
    values -= values.mean()
    parts = [tabulate([reading(s, s + values, rng.normal(size=99))]) for s in (0.3, 0.5, 0.7)]
    table = over_seeds([t for t, _ in parts], [s for _, s in parts])
    row, alone = table.iloc[0], parts[1][0].iloc[0]
    assert row["score"] == pytest.approx(0.5)
    assert row["high"] - row["low"] > 3 * (alone["high"] - alone["low"])
    assert row["low"] < 0.5 < row["high"]


def test_tables_of_other_rows_are_refused(rng):
    one = tabulate([reading(0.5, [0.1, 0.2], [0.0])])
    other = tabulate([reading(0.5, [0.1, 0.2], [0.0], target="b")])
    with pytest.raises(ValueError, match="differ"):
        over_seeds([one[0], other[0]], [one[1], other[1]])
