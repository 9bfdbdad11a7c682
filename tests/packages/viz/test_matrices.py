import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from facelab_viz.matrices import confusions, layer_by_factor

FACTORS = ["identity", "gender", "rotation_y_deg", "background"]


def contrast(ink, ground):
    """Give the contrast ratio of two colours (W3C, WCAG 2.1, relative luminance)."""

    def luminance(colour):
        rgb = np.array(mpl.colors.to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ (0.2126, 0.7152, 0.0722)

    dark, light = sorted((luminance(ink), luminance(ground)))
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture
def one(table):
    return table[table["network"] == "identity"]


def test_rows_are_factors_in_the_order_of_figures_and_columns_layers(one):
    ax = layer_by_factor(one)
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert rows == ["identity", "gender", "yaw", "background"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["early", "middle", "late"]
    cells = one.pivot(index="factor", columns="layer", values="score")
    expected = cells.loc[FACTORS, ["early", "middle", "late"]]
    np.testing.assert_allclose(ax.images[0].get_array(), expected)


def test_each_cell_has_its_number_in_print_and_an_unmeasured_one_none(one):
    assert len(layer_by_factor(one).texts) == len(one)
    ax = layer_by_factor(one.iloc[1:].assign(score=-0.126), digits=1)
    assert [text.get_text() for text in ax.texts] == ["−0.1"] * (len(one) - 1)


@pytest.mark.parametrize("limits", [(0.0, 1.0), (-1.0, 1.0)])
def test_numbers_can_be_read_on_every_colour(one, limits):
    one = one.assign(score=np.linspace(*limits, len(one)))
    ax = layer_by_factor(one, limits=limits)
    for text in ax.texts:
        x, y = map(int, text.get_position())
        ground = ax.images[0].to_rgba(ax.images[0].get_array())[y, x]
        assert contrast(text.get_color(), ground[:3]) > 4


def test_a_rule_parts_groups_of_factors_and_nothing_else(one):
    assert [line.get_ydata()[0] for line in layer_by_factor(one).lines] == [1.5, 2.5]


def test_a_figure_of_its_own_grows_for_long_names_and_a_given_one_stays(one):
    long = {layer: f"trunk.{layer}.convolution.of.many.words" for layer in one["layer"]}
    plain, grown = layer_by_factor(one), layer_by_factor(one, labels=long)
    assert grown.figure.get_figheight() > plain.figure.get_figheight()
    height = plain.figure.get_figheight()
    layer_by_factor(one, ax=plain.figure.add_subplot(), labels=long)
    assert plain.figure.get_figheight() == height


def test_a_table_that_cannot_be_drawn_is_refused_in_one_line(table, one):
    with pytest.raises(ValueError, match="no column 'factor'"):
        layer_by_factor(one.drop(columns="factor"))
    with pytest.raises(ValueError, match="the table is empty"):
        layer_by_factor(one.iloc[:0])
    with pytest.raises(ValueError, match="they differ in network") as error:
        layer_by_factor(table)
    assert "\n" not in str(error.value)


def test_what_rounds_to_nothing_has_no_sign(one):
    ax = layer_by_factor(one.assign(score=[-0.004, 0.004, -0.006] * 4))
    assert [text.get_text() for text in ax.texts].count("0.00") == 8
    assert [text.get_text() for text in ax.texts].count("−0.01") == 4


def confused(classes, favourite, view, network="identity"):
    """Every class is named itself and, with a share of .4, the favourite."""
    right = [(name, name, 0.6 if name != favourite else 1.0) for name in classes]
    wrong = [(name, favourite, 0.4) for name in classes if name != favourite]
    table = pd.DataFrame([*right, *wrong], columns=["class", "named", "share"])
    return table.assign(view=view, network=network)


def test_confusions_have_the_true_class_in_rows_and_favourite_names_first():
    fig = confusions(confused([3, 5, 9], 9, "upright"))
    ax = fig.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["9", "3", "5"]
    expected = [[1, 0, 0], [0.4, 0.6, 0], [0.4, 0, 0.6]]
    np.testing.assert_allclose(ax.images[0].get_array(), expected)


def test_confusions_have_a_panel_for_each_view_and_network():
    parts = [confused("abc", "b", v, n) for n in ("one", "other") for v in ("upright", "flip")]
    fig = confusions(pd.concat(parts), labels={"other": "the other", "flip": "inverted"})
    panels = [ax for ax in fig.axes if ax.images]
    assert [ax.get_title(loc="left") for ax in panels] == ["one", "the other", "", ""]
    assert panels[2].get_ylabel() == "inverted: true class"


def test_many_classes_are_not_named():
    ax = confusions(confused(range(30), 4, "upright")).axes[0]
    assert not ax.get_xticklabels()


def test_a_confusion_that_is_listed_twice_is_refused():
    table = confused("abc", "b", "upright")
    with pytest.raises(ValueError, match="2 rows"):
        confusions(pd.concat([table, table]))
