import pytest
from facelab_viz.panels import (
    finish,
    flow,
    grid,
    heighten,
    layer_axis,
    legend_beside,
    lowest,
    stretch_early,
    upright_mm,
)
from facelab_viz.theme import INCH_MM, figure

ROWS = [["a", "b", "c"], ["d"]]


def test_a_group_is_not_torn_if_it_fits_and_none_is_lost_if_it_does_not():
    assert flow([["a", "b"], ["c", "d"], ["e"]], 3) == [["a", "b"], ["c", "d", "e"]]
    assert flow([["a"], ["b", "c", "d"]], 2) == [["a"], ["b", "c"], ["d"]]


def test_no_column_at_all_is_refused():
    with pytest.raises(ValueError, match="columns must be 1 or more; it is 0"):
        flow([["a"]], 0)


def test_the_lowest_panels_are_those_with_nothing_beneath():
    assert lowest(ROWS) == {"b": True, "c": True, "d": False}


def test_panels_come_in_reading_order_and_share_axes_only_if_asked():
    _, panels = grid(ROWS, 88, 30, share_y=True)
    assert list(panels) == ["a", "b", "c", "d"]
    panels["a"].set(xlim=(0, 9), ylim=(0, 9))
    assert panels["d"].get_ylim() == (0, 9)
    assert panels["d"].get_xlim() != (0, 9)


def test_layer_labels_stand_upright_only_if_they_do_not_fit_and_then_need_room():
    short, long = figure().add_subplot(), figure().add_subplot()
    layer_axis(short, ["a", "b"], {"a": "first"})
    layer_axis(long, [f"trunk.block{i}.conv" for i in range(8)])
    assert [label.get_text() for label in short.get_xticklabels()] == ["first", "b"]
    assert {label.get_rotation() for label in short.get_xticklabels()} == {0}
    assert {label.get_rotation() for label in long.get_xticklabels()} == {90}
    assert upright_mm(short) == 0 < upright_mm(long)


def test_a_figure_grows_in_height_alone():
    fig = figure(88, 60)
    heighten(fig, 10)
    assert fig.get_size_inches() * INCH_MM == pytest.approx([88, 70])


def test_early_epochs_are_given_room():
    ax = figure().add_subplot()
    ax.plot([0, 0.5, 1, 100], [0, 1, 2, 3])
    stretch_early(ax, 1.0)
    place = ax.transData.transform([(0, 0), (1, 0), (100, 0)])[:, 0]
    assert (place[1] - place[0]) / (place[2] - place[0]) > 0.1


def test_a_panel_without_named_lines_has_no_legend():
    ax = figure().add_subplot()
    legend_beside(ax)
    assert ax.get_legend() is None


@pytest.mark.parametrize("lines", [2, 12])
def test_a_legend_lies_outside_its_panel_and_inside_the_figure(lines):
    fig = figure()
    ax = fig.add_subplot()
    for i in range(lines):
        ax.plot([0, 1], [0, i], label=f"network {i}")
    legend_beside(ax)
    fig.draw_without_rendering()
    box, panel = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert box.y0 >= panel.y1 - 1 or box.x0 >= panel.x1 - 1
    assert box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1


def test_panels_share_one_legend_that_fits_the_figure_however_many_its_words():
    fig, panels = grid(ROWS, 88, 30)
    for ax in panels.values():
        layer_axis(ax, ["a", "b"])
        for i in range(9):
            ax.plot([0, 1], [0, i], label=f"network {i}")
    finish(fig, panels, ROWS)
    fig.draw_without_rendering()
    (legend,) = fig.legends
    assert [text.get_text() for text in legend.get_texts()] == [f"network {i}" for i in range(9)]
    box = legend.get_window_extent()
    assert box.x1 <= fig.bbox.x1
    assert box.y0 >= panels["a"].get_window_extent().y1


def test_only_the_lowest_panels_name_their_layers():
    fig, panels = grid(ROWS, 88, 30)
    for ax in panels.values():
        layer_axis(ax, ["first", "last"])
    finish(fig, panels, ROWS)
    fig.draw_without_rendering()
    hung = {name: [text.get_text() for text in ax.texts] for name, ax in panels.items()}
    assert hung == {"a": [], "b": ["first", "last"], "c": ["first", "last"], "d": []}
    visible = {name for name, ax in panels.items() if ax.xaxis.get_tick_params()["labelbottom"]}
    assert visible == {"d"}
