"""Intervals of means and differences: their coverage, their oracles, and when they begin."""

import numpy as np
import pandas as pd
import pytest
from facelab_probing.intervals import (
    adjust,
    keep_within,
    mean_over_identities,
    onset,
    paired_differences,
)
from scipy.stats import bootstrap, ttest_1samp, ttest_rel

GROUPS, ROWS = 48, 1000


def covers(table, truth):
    return ((table["low"] <= truth) & (truth <= table["high"])).mean()


def crossed(rng, seeds, identities, both, count=3):
    """Effects of training seeds, identities and their meeting, with these deviations."""
    return (
        seeds * rng.normal(size=(count, ROWS, 1))
        + identities * rng.normal(size=(ROWS, GROUPS))
        + both * rng.normal(size=(count, ROWS, GROUPS))
    )


def test_one_seed_is_student_s_t(rng):
    values = rng.normal(0.3, 1, size=(1, 5, GROUPS))
    table = mean_over_identities(values)
    expected = ttest_1samp(values[0], 0, axis=1)
    np.testing.assert_allclose(table["p"], expected.pvalue)
    interval = expected.confidence_interval(0.95)
    np.testing.assert_allclose(table[["low", "high"]], np.transpose(interval))


def test_many_identities_agree_with_the_bootstrap_of_scipy(rng):
    values = rng.exponential(size=400)
    row = mean_over_identities(values[None, None]).iloc[0]
    other = bootstrap((values,), np.mean, rng=rng, n_resamples=2000).confidence_interval
    assert row["low"] == pytest.approx(other.low, abs=0.02)
    assert row["high"] == pytest.approx(other.high, abs=0.02)


@pytest.mark.parametrize(
    ("effects", "least"),
    [((0, 1, 0.5), 0.93), ((0.15, 1, 0.5), 0.93), ((0.3, 1, 0.5), 0.91), ((1, 1, 0.5), 0.9)],
)
def test_three_seeds_and_identities_are_covered_whichever_differ_more(rng, effects, least):
    assert least <= covers(mean_over_identities(crossed(rng, *effects)), 0) <= 0.985


def test_identities_alone_do_not_cover_another_seed(rng):
    """What the seeds' own spread is for."""
    values = crossed(rng, 0.3, 1, 0.5)
    fixed = mean_over_identities(values.mean(axis=0, keepdims=True))
    assert covers(fixed, 0) < 0.85


def answered(rng, accuracy, spread=0.0, images=4, seeds=3, groups=GROUPS):
    """Shares of right answers of identities that differ, whose mean accuracy is known."""
    each = rng.beta(3 * accuracy, 3 * (1 - accuracy), size=(ROWS, groups))
    shifted = each + spread * rng.normal(size=(seeds, ROWS, 1)) * each * (1 - each)
    return rng.binomial(images, np.clip(shifted, 0, 1), size=(seeds, ROWS, groups)) / images


@pytest.mark.parametrize(
    ("accuracy", "spread"), [(0.03, 0), (0.5, 0), (0.5, 0.3), (0.95, 0), (0.95, 0.3), (0.98, 0)]
)
def test_an_accuracy_is_covered_wherever_it_lies_and_never_leaves_its_range(rng, accuracy, spread):
    table = mean_over_identities(answered(rng, accuracy, spread), within=(0, 1))
    assert 0.93 <= covers(table, accuracy) <= 0.99
    assert table[["low", "high"]].ge(0).all(axis=None)
    assert table[["low", "high"]].le(1).all(axis=None)


def test_without_a_range_the_interval_of_an_accuracy_near_1_covers_less_and_crosses_1(rng):
    table = mean_over_identities(answered(rng, 0.98))
    assert covers(table, 0.98) < 0.91
    assert (table["high"] > 1).any()


def test_an_interval_within_a_range_turns_over_with_it_and_is_student_s_t_in_its_middle(rng):
    values = answered(rng, 0.95)
    table, turned = (mean_over_identities(v, within=(0, 1)) for v in (values, 1 - values))
    np.testing.assert_allclose(table["low"], 1 - turned["high"])
    wide = mean_over_identities(values, within=(-1000, 1002))
    pd.testing.assert_frame_equal(wide, mean_over_identities(values), atol=1e-5)


def test_the_range_of_a_correlation_gives_fisher_s_z(rng):
    values = np.tanh(rng.normal(0.5, 0.3, size=(1, 4, GROUPS)))
    table, plain = mean_over_identities(values, within=(-1, 1)), mean_over_identities(values)
    half = (plain["high"] - plain["mean"]) / (1 - plain["mean"] ** 2)
    np.testing.assert_allclose(table["high"], np.tanh(np.arctanh(plain["mean"]) + half))


def test_where_all_is_right_the_interval_is_that_point_and_beyond_the_range_is_no_value(rng):
    table = mean_over_identities(np.ones((3, 1, 5)), within=(0, 1))
    assert (table[["mean", "low", "high"]] == 1).all(axis=None)
    empty = mean_over_identities(np.full((3, 1, 5), np.nan), within=(0, 1))
    assert empty[["low", "high"]].isna().all(axis=None)
    with pytest.raises(ValueError, match=r"a value of 1\.5 lies outside 0 … 1"):
        mean_over_identities(np.full((1, 1, 5), 1.5), within=(0, 1))


def test_pseudo_values_may_leave_a_range_that_their_mean_keeps(rng):
    values = rng.normal(size=(1, 3, GROUPS))
    values += 0.9 - values.mean(axis=2, keepdims=True)
    plain = mean_over_identities(values)
    table = keep_within(plain, 0, 1)
    assert (plain["high"] > 1).any()
    assert table["high"].between(table["mean"], 1).all()
    assert table["low"].between(0, table["mean"]).all()
    beyond = keep_within(plain.assign(mean=1.0, high=1.2), 0, 1)
    np.testing.assert_allclose(beyond[["low", "high"]], [[0, 1]] * 3, atol=1e-6)


def test_identities_that_are_not_there_do_not_count(rng):
    values = rng.normal(size=(3, 4, GROUPS))
    holes = values.copy()
    holes[:, :, 40:] = np.nan
    found, expected = mean_over_identities(holes), mean_over_identities(values[:, :, :40])
    pd.testing.assert_frame_equal(found, expected)
    holes[:, 0, 1:] = np.nan
    assert mean_over_identities(holes).loc[0, ["low", "high", "p"]].isna().all()


def test_a_paired_difference_is_the_paired_t_test(rng):
    first, second = rng.normal(size=(2, 1, 3, GROUPS))
    table = paired_differences(first, second, seeds_are_paired=True)
    expected = ttest_rel(first[0], second[0], axis=1)
    np.testing.assert_allclose(table["p"], expected.pvalue)
    interval = np.transpose(expected.confidence_interval(0.95))
    np.testing.assert_allclose(table[["low", "high"]], interval)


@pytest.mark.parametrize("paired", [True, False])
def test_equal_networks_do_not_differ_and_planted_differences_are_found(rng, paired):
    person = rng.normal(size=(ROWS, GROUPS))
    first, second = (person + crossed(rng, 0.05, 0.0, 0.3) for _ in range(2))
    null = paired_differences(first, second, seeds_are_paired=paired)
    assert 0.93 <= covers(null, 0) <= 0.99
    planted = paired_differences(first + 0.5, second, seeds_are_paired=paired)
    assert (planted["low"] > 0).mean() > 0.9
    assert covers(planted, 0.5) == covers(null, 0)
    alone = mean_over_identities(first)
    assert (planted["high"] - planted["low"]).mean() < 0.8 * (alone["high"] - alone["low"]).mean()


def test_a_network_less_itself_is_nothing(rng):
    values = rng.normal(size=(3, 2, GROUPS))
    table = paired_differences(values, values, seeds_are_paired=True)
    assert (table[["mean", "low", "high"]] == 0).all(axis=None)
    assert (table["p"] == 1).all()


def test_pairs_of_other_shapes_are_refused(rng):
    values = rng.normal(size=(3, 2, GROUPS))
    with pytest.raises(ValueError, match=r"other shapes: \(3, 2, 48\) and \(2, 2, 48\)"):
        paired_differences(values, values[:2], seeds_are_paired=True)
    assert len(paired_differences(values, values[:2], seeds_are_paired=False)) == 2
    with pytest.raises(ValueError, match="other shapes"):
        paired_differences(values, values[:, :, 1:], seeds_are_paired=False)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ([-1, 0.1, 0.2, 0.3], [1, 1, 1, 1], 1),
        ([0.1, -0.1, 0.2, 0.3], [1, 1, 1, 1], 2),
        ([0.1, 0.2, 0.3, -0.1], [1, 1, 1, 1], None),
        ([0.1, -1.0, -1.0], [1, -0.2, -0.3], 1),
        ([0.1, 0.2], [1, 1], 0),
        ([np.nan, 0.2], [np.nan, 1], 1),
        ([], [], None),
    ],
)
def test_an_onset_is_the_first_row_that_stays_off_zero(low, high, expected):
    assert onset(pd.DataFrame({"low": low, "high": high}, dtype=float)) == expected


def onsets(values):
    """Onset of each repetition; values are (seeds, repetitions, checkpoints, identities)."""
    checkpoints = values.shape[2]
    table = mean_over_identities(values.reshape(len(values), -1, values.shape[-1]))
    return [onset(rows) for _, rows in table.groupby(np.arange(len(table)) // checkpoints)]


def test_an_onset_is_found_where_planted_and_seldom_elsewhere(rng):
    """11 checkpoints of 3 seeds; an effect of 6 standard errors begins at the sixth."""
    effect = 0.5 * (np.arange(11) >= 5)[:, None]
    noise = rng.normal(scale=0.5, size=(3, 200, 11, GROUPS))
    noise += 0.4 * rng.normal(size=(200, 1, GROUPS))
    found, false = onsets(noise + effect), onsets(noise)
    assert np.mean([each == 5 for each in found]) > 0.9
    assert np.mean([each is not None for each in false]) < 0.1


def test_adjusted_p_bounds_the_share_of_false_calls(rng):
    """80 tests of nothing and 20 of something: .05 calls several falsely, adjusted few do."""
    shares, calls = [], []
    for _ in range(200):
        p = np.append(rng.random(80), rng.random(20) / 1000)
        called = adjust(p) <= 0.05
        shares.append(called[:80].sum() / max(called.sum(), 1))
        calls.append(called[80:].mean())
    assert 0.02 < np.mean(shares) < 0.06
    assert np.mean(calls) > 0.99


def test_tests_that_were_not_made_are_not_counted():
    np.testing.assert_allclose(adjust([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])
    assert np.isnan(adjust([np.nan])).all()
