import pandas as pd
import pytest
from facelab_viz.contrasts import contrast_along, contrasts_along


@pytest.fixture
def table():
    rows = [
        {
            "network": n,
            "view": v,
            "epoch": e,
            "seed": s,
            "mean": m + e / 10,
            "low": 0.0,
            "high": 1.0,
        }
        for n in ("identity", "untrained")
        for v, m in (("upright", 0.2), ("flip", 0.1))
        for e in (0.0, 0.5, 1.0, 5.0)
        for s in ("all", "0", "1")
    ]
    return pd.DataFrame(rows)


def lines(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def test_each_condition_is_a_line_along_the_number(table):
    ax = contrast_along(table[table["network"] == "identity"], "epoch", labels={"flip": "inverted"})
    drawn = lines(ax)
    assert list(drawn) == ["upright", "inverted"]
    assert drawn["upright"].get_xdata().tolist() == [0, 0.5, 1, 5]
    assert drawn["upright"].get_ydata() == pytest.approx([0.2, 0.25, 0.3, 0.7])


def test_seeds_are_thin_lines_without_a_name(table):
    part = table[table["network"] == "identity"]
    bare, full = (contrast_along(part, "epoch", seeds=seeds) for seeds in (False, True))
    assert len(full.lines) == len(bare.lines) + 4


def test_networks_have_a_panel_each_on_one_scale(table):
    fig = contrasts_along(table, "epoch", linear_to=1.0)
    first, second = fig.axes
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["identity", "untrained"]
    assert first.get_ylim() == second.get_ylim()
    assert first.get_xscale() == "symlog"


def test_an_interval_that_is_not_known_is_left_out(table):
    table.loc[table["seed"] != "all", ["low", "high"]] = float("nan")
    assert len(contrasts_along(table, "epoch", seeds=True).axes) == 2


def test_two_rows_for_one_point_are_refused(table):
    with pytest.raises(ValueError, match="rows for"):
        contrast_along(table, "epoch")
