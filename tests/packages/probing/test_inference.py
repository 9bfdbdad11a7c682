"""Intervals, nulls, and training seeds put together."""

import numpy as np
import pytest
from facelab_probing.inference import COLUMNS, Reading, orders, over_seeds, resample, tabulate


def reading(score, draws, null, target="a"):
    parts = score, np.asarray(draws, float), np.asarray(null, float)
    return Reading("shape", target, "ridge", 10.0, "r2", *parts, 96, 12)


def test_p_counts_the_score_among_its_null():
    table, _ = tabulate([reading(0.5, [0.4, 0.6], np.linspace(0, 0.99, 100))])
    assert table["p"].item() == pytest.approx(51 / 101, abs=0.011)
    table, _ = tabulate([reading(2.0, [0.4, 0.6], np.zeros(99))])
    assert table["p"].item() == 0.01


def test_columns_are_in_order_and_so_are_the_bounds(rng):
    table, statistics = tabulate([reading(0.5, rng.normal(0.5, 0.1, 400), rng.normal(size=50))])
    assert list(table) == COLUMNS
    row = table.iloc[0]
    assert row["low"] < row["score"] < row["high"]
    assert statistics["draws"].shape == (1, 400)
    assert statistics["null"].shape == (1, 50)


def test_a_score_that_is_undefined_has_no_interval_and_no_p():
    table, _ = tabulate([reading(np.nan, [np.nan, np.nan], [np.nan])])
    assert table[["low", "high", "null_high", "p"]].isna().all(axis=None)


def test_resamples_have_as_many_identities_and_depend_on_the_seed_alone():
    identity = np.repeat([3, 5, 9, 11], 6)
    first, again = (resample(identity, 20, 5, 7) for _ in range(2))
    assert (first.counts.sum(axis=1) == 4).all()
    np.testing.assert_array_equal(first.counts, again.counts)
    np.testing.assert_array_equal(orders(first, 4, "age"), orders(again, 4, "age"))
    assert (np.sort(orders(first, 4, "age"), axis=1) == np.arange(4)).all()
    assert not np.array_equal(orders(first, 30, "age"), orders(first, 30, "gender"))


def test_one_training_seed_is_left_as_it_is(rng):
    table, statistics = tabulate([reading(0.5, rng.normal(size=300), rng.normal(size=99))])
    both = over_seeds([table], [statistics], seed=0)
    np.testing.assert_allclose(
        both[COLUMNS[5:]].astype(float), table[COLUMNS[5:]].astype(float), rtol=1e-5
    )
    assert both["penalty"].item() == pytest.approx(10)


def test_seeds_that_differ_widen_the_interval_around_their_mean(rng):
    draws = rng.normal(0, 0.02, 2000)
    parts = [tabulate([reading(s, s + draws, rng.normal(size=99))]) for s in (0.3, 0.5, 0.7)]
    table = over_seeds([t for t, _ in parts], [s for _, s in parts], seed=0)
    row, alone = table.iloc[0], parts[1][0].iloc[0]
    assert row["score"] == pytest.approx(0.5)
    assert row["high"] - row["low"] > 3 * (alone["high"] - alone["low"])
    assert row["low"] < 0.5 < row["high"]


def test_tables_of_other_rows_are_refused(rng):
    one = tabulate([reading(0.5, [0.1], [0.0])])
    other = tabulate([reading(0.5, [0.1], [0.0], target="b")])
    with pytest.raises(ValueError, match="differ"):
        over_seeds([one[0], other[0]], [one[1], other[1]], seed=0)
