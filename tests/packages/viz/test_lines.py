import numpy as np
import pandas as pd
import pytest
from facelab_viz.lines import draw_dots, draw_line, draw_null, draw_seeds
from facelab_viz.theme import figure

LOOK = {"color": "#0067a5", "linestyle": "-", "marker": "o", "label": "mine"}


@pytest.fixture
def ax():
    return figure().add_subplot()


@pytest.fixture
def rows():
    return pd.DataFrame({"score": [0.1, 0.5], "low": [0.0, 0.4], "high": [0.3, 0.8]}, index=[2, 5])


def test_a_line_runs_along_the_index_and_its_band_from_the_lowest_bound_to_the_highest(ax, rows):
    draw_line(ax, rows, "score", ("low", "high"), LOOK)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[2, 0.1], [5, 0.5]])
    box = ax.collections[0].get_datalim(ax.transData)
    assert [box.x0, box.x1, box.y0, box.y1] == pytest.approx([2, 5, 0.0, 0.8])


def test_without_bounds_there_is_no_band_and_without_rows_no_line(ax, rows):
    draw_line(ax, rows, "score", (None, None), LOOK)
    assert (len(ax.lines), len(ax.collections)) == (1, 0)
    draw_line(ax, rows.iloc[:0], "score", ("low", "high"), LOOK)
    assert (len(ax.lines), len(ax.collections)) == (1, 0)


def test_seeds_and_dots_are_drawn_without_a_place_in_the_legend(ax, rows):
    table = pd.concat([rows.assign(seed=seed, network="a") for seed in (0, 1, "all")])
    draw_seeds(ax, table, {"network": "a"}, "score", LOOK)
    assert len(ax.lines) == 2
    draw_dots(ax, rows, "score", LOOK)
    assert ax.lines[-1].get_linestyle() == "None"
    assert ax.get_legend_handles_labels()[1] == []


def test_the_null_reaches_from_chance_to_the_highest_bound_of_all_groups(ax):
    bounds = pd.DataFrame({"null_high": [0.1, 0.3, 0.2, 0.05]}, index=[0, 0, 1, 1])
    draw_null(ax, bounds, "null_high", "within chance")
    corners = ax.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in corners} == {(0, 0), (1, 0), (0, 0.3), (1, 0.2)}
