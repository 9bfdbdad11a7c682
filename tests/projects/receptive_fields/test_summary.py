import numpy as np
import pandas as pd
import pytest
from scipy import stats

from projects.receptive_fields.summary import MEASURES, summarise

UNITS = 40


def units(rng, seeds, between=0.0, epochs=(0.0, 5.0)):
    """Draw units of two layers: mean ratio .8 and .4, units and seeds differ by chance."""
    parts = []
    for seed in range(seeds):
        shift = rng.normal(0, between)
        for epoch in epochs:
            for layer, mean in (("conv1", 0.8), ("conv2", 0.4)):
                part = pd.DataFrame(dict.fromkeys(MEASURES, rng.normal(mean + shift, 0.1, UNITS)))
                parts.append(part.assign(state="trained", seed=seed, epoch=epoch, layer=layer))
    return pd.concat(parts, ignore_index=True)


def ratio(table, **choice):
    rows = table[table["measure"] == "ratio"]
    for column, value in choice.items():
        rows = rows[rows[column] == value]
    return rows


def test_one_network_has_the_interval_of_its_units(rng):
    table = units(rng, 1)
    found = ratio(summarise(table), seed="all", epoch=5.0, layer="conv2").iloc[0]
    values = table.query("epoch == 5 and layer == 'conv2'")["ratio"]
    low, high = stats.t.interval(0.95, UNITS - 1, values.mean(), stats.sem(values))
    assert (found["mean"], found["low"], found["high"]) == pytest.approx((values.mean(), low, high))
    assert found["sd"] == pytest.approx(values.std(ddof=1))


def test_several_networks_have_the_interval_of_their_means(rng):
    table = units(rng, 4, between=0.1)
    found = ratio(summarise(table), seed="all", epoch=0.0, layer="conv1").iloc[0]
    means = table.query("epoch == 0 and layer == 'conv1'").groupby("seed")["ratio"].mean()
    low, high = stats.t.interval(0.95, 3, means.mean(), stats.sem(means))
    assert (found["mean"], found["low"], found["high"]) == pytest.approx((means.mean(), low, high))
    assert found["units"] == 4 * UNITS


def test_a_planted_fall_with_depth_is_found_and_its_truth_is_covered(rng):
    hits = 0
    for _ in range(60):
        table = ratio(summarise(units(rng, 3, between=0.05, epochs=(5.0,))), seed="all")
        first, second = (table[table["layer"] == name].iloc[0] for name in ("conv1", "conv2"))
        assert second["mean"] < first["mean"]
        hits += first["low"] < 0.8 < first["high"]
    assert hits >= 51  # of 60 at 95 %: fewer in 1 of 10,000 cases


def test_silent_units_are_counted_and_left_out(rng):
    table = units(rng, 1)
    table.loc[table["layer"].eq("conv2") & (np.arange(len(table)) % 2 == 0), "ratio"] = np.nan
    found = ratio(summarise(table), seed="all", epoch=5.0)
    assert found["measured"].tolist() == [UNITS, UNITS // 2]
    assert found["units"].tolist() == [UNITS, UNITS]
    assert np.isfinite(found["mean"]).all()


def test_layers_stay_in_order_of_depth_and_every_seed_has_its_row(rng):
    found = ratio(summarise(units(rng, 2)), epoch=0.0)
    assert found["layer"].tolist() == ["conv1"] * 3 + ["conv2"] * 3
    assert found["seed"].tolist() == ["0", "1", "all"] * 2
