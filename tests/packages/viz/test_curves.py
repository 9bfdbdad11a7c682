import numpy as np
import pandas as pd
import pytest
from facelab_viz.curves import curve_over_layers, factors_over_layers, learning_curves

NETWORKS = ["untrained", "identity"]


def words(legend):
    return [text.get_text() for text in legend.get_texts()]


def named(ax):
    """Give the lines that have a place in the legend, by name."""
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


@pytest.fixture
def one(table):
    return table[table["factor"] == "gender"]


@pytest.fixture
def training():
    """Give the losses of two networks and two seeds over three epochs, in two splits."""
    rows = [
        {"network": n, "seed": s, "split": p, "epoch": e, "loss": 3.0 - e + s, "kept": e != 1}
        for n in NETWORKS
        for s in (0, 1)
        for p in ("training", "validation")
        for e in (0, 1, 2)
    ]
    return pd.DataFrame(rows)


def test_a_curve_has_a_line_per_network_with_its_scores_in_order_of_depth(one):
    ax = curve_over_layers(
        one.sample(frac=1, random_state=0),
        "score",
        "network",
        layers=["early", "middle", "late"],
        order=NETWORKS,
    )
    assert list(named(ax)) == words(ax.get_legend()) == NETWORKS
    for network, line in named(ax).items():
        expected = one.loc[one["network"] == network, "score"]
        np.testing.assert_allclose(line.get_ydata(), expected)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["early", "middle", "late"]


def test_the_band_runs_from_low_to_high_and_can_be_left_out(one):
    part = one[one["network"] == "identity"]
    ax = curve_over_layers(part, "score", "network")
    (band,) = ax.collections
    box = band.get_datalim(ax.transData)
    assert (box.y0, box.y1) == pytest.approx((part["low"].min(), part["high"].max()))
    assert not curve_over_layers(part, "score", "network", low=None, high=None).collections


def test_chance_is_a_line_at_0_and_the_null_a_band_only_if_asked(one):
    plain = curve_over_layers(one, "score", "network")
    assert [list(line.get_ydata()) for line in plain.lines].count([0, 0]) == 1
    with_null = curve_over_layers(one, "score", "network", null="null_high")
    assert len(with_null.collections) == len(plain.collections) + 1
    assert words(with_null.get_legend())[-1] == "within chance"


def test_seeds_are_drawn_as_further_lines_around_their_mean(one):
    seeds = pd.concat([one.assign(seed=i, score=one["score"] + d) for i, d in enumerate((-1, 1))])
    ax = curve_over_layers(seeds, "score", "network", seeds=True)
    thin = [line for line in ax.lines if line.get_label() == "_seed"]
    assert len(thin) == 2 * len(NETWORKS)
    expected = one.loc[one["network"] == "identity", "score"]
    np.testing.assert_allclose(named(ax)["identity"].get_ydata(), expected)


@pytest.mark.parametrize("draw", [curve_over_layers, factors_over_layers, learning_curves])
def test_a_missing_column_and_an_empty_table_are_told_in_one_line(table, draw):
    table = table.assign(epoch=0)
    with pytest.raises(ValueError, match="the table has no column 'merit'; it has: ") as missing:
        draw(table, "merit", "network")
    with pytest.raises(ValueError, match="the table is empty") as empty:
        draw(table.iloc[:0], "score", "network")
    assert "\n" not in str(missing.value) + str(empty.value)


def test_a_missing_bound_is_named(table):
    with pytest.raises(ValueError, match="no column 'low'"):
        factors_over_layers(table.drop(columns="low"))


def test_factors_are_panels_in_the_order_of_figures_with_a_line_per_network(table):
    fig = factors_over_layers(table, null="null_high")
    titles = [ax.get_title(loc="left") for ax in fig.axes]
    assert titles == ["identity", "gender", "yaw (°)", "background"]
    for ax in fig.axes:
        assert list(named(ax)) == NETWORKS
        assert len(ax.collections) == len(NETWORKS) + 1
    (legend,) = fig.legends
    assert words(legend) == [*NETWORKS, "within chance"]
    assert (fig.get_supxlabel(), fig.get_supylabel()) == ("layer", "score")


def test_panels_share_a_y_axis_unless_told_otherwise(table):
    assert len({ax.get_ylim() for ax in factors_over_layers(table).axes}) == 1
    assert len({ax.get_ylim() for ax in factors_over_layers(table, share_y=False).axes}) > 1


def test_a_factor_that_is_asked_for_but_not_measured_keeps_an_empty_panel(table):
    factors = ["identity", "gender", "hat", "rotation_y_deg", "background"]
    fig = factors_over_layers(table, factors=factors)
    panel = fig.axes[2]
    assert panel.get_title(loc="left") == "hat"
    assert not panel.lines


def test_a_network_without_a_factor_leaves_the_others_their_colours(table):
    lacking = table[(table["factor"] != "gender") | (table["network"] != "untrained")]
    panel = factors_over_layers(lacking).axes[1]
    full = factors_over_layers(table).axes[1]
    assert list(named(panel)) == ["identity"]
    assert named(panel)["identity"].get_color() == named(full)["identity"].get_color()


def test_training_is_drawn_in_full_and_validation_dashed_with_the_mean_of_seeds(training):
    ax = learning_curves(training, part="split", order=NETWORKS[::-1])
    assert words(ax.get_legend()) == ["identity", "untrained", "training", "validation"]
    drawn = [line for line in ax.lines if len(line.get_xdata())]
    assert [line.get_linestyle() for line in drawn] == ["-", "--", "-", "--"]
    for line in drawn:
        np.testing.assert_allclose(line.get_ydata(), [3.5, 2.5, 1.5])
        np.testing.assert_allclose(line.get_xdata(), [0, 1, 2])


def test_without_bounds_the_band_spans_the_seeds(training):
    one = training[(training["network"] == "identity") & (training["split"] == "training")]
    ax = learning_curves(one)
    corners = ax.collections[0].get_paths()[0].vertices
    assert {tuple(c) for c in corners if c[0] == 1} == {(1, 2), (1, 3)}


def test_checkpoints_are_dots_where_they_were_kept_and_named_once(training):
    ax = learning_curves(training[training["split"] == "training"], checkpoint="kept")
    dots = [line for line in ax.lines if line.get_label() == "_dots"]
    assert [list(line.get_xdata()) for line in dots] == [[0, 2]] * len(NETWORKS)
    assert words(ax.get_legend()).count("kept") == 1


def test_two_decoders_for_one_point_are_refused(one):
    twice = pd.concat([one.assign(decoder="ridge"), one.assign(decoder="logistic")])
    with pytest.raises(ValueError, match="they differ in decoder"):
        curve_over_layers(twice, "score", "network")


def test_more_parts_than_dashes_begin_again(training):
    one = training[training["split"] == "training"]
    many = pd.concat([one.assign(split=f"fold {fold}") for fold in range(9)])
    lines = [line for line in learning_curves(many, part="split").lines if len(line.get_xdata())]
    assert len(lines) == len(NETWORKS) * 9
