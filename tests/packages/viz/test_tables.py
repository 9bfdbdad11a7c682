import pandas as pd
import pytest
from facelab_viz.tables import check_unique, order_of, pooled, require, single_seeds, where


@pytest.fixture
def seeds():
    """Give three seeds at point a, and at b two seeds beside a row for all."""
    rows = [("a", 0, 1.0), ("a", 1, 2.0), ("a", 2, 6.0), ("b", 0, 1.0), ("b", 1, 3.0)]
    rows.append(("b", "all", 9.0))
    return pd.DataFrame(rows, columns=["point", "seed", "score"]).assign(low=-1.0, high=1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="score"), "no column 'score'; it has: network, layer, factor"),
        (lambda t: t.iloc[:0], "the table is empty: no row to draw in columns layer, score"),
        (lambda t: t.assign(score="high"), "column 'score' must hold numbers; it holds 'high'"),
        (lambda t: t.assign(layer=None), "column 'layer' has 24 empty cells"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_refused_in_one_line(table, change, message):
    with pytest.raises(ValueError, match=message) as error:
        require(change(table), ["layer", None], ["score"])
    assert "\n" not in str(error.value)


def test_the_order_is_the_one_given_then_that_of_the_categories_then_that_of_the_table():
    table = pd.DataFrame({"layer": ["b", "a", "b"]})
    assert order_of(table, "layer") == ["b", "a"]
    kinds = pd.Categorical(table["layer"], categories=["a", "never", "b"])
    assert order_of(table.assign(layer=kinds), "layer") == ["a", "b"]
    assert order_of(table, "layer", ["a", "c", "b"]) == ["a", "c", "b"]
    with pytest.raises(ValueError, match="layer 'b' is not in the order given: a, c"):
        order_of(table, "layer", ["a", "c"])


def test_two_rows_for_one_point_are_refused_with_the_column_to_select_from():
    table = pd.DataFrame(
        {"layer": ["a", "a"], "decoder": ["ridge", "logistic"], "score": [0.1, 0.2]}
    )
    with pytest.raises(ValueError, match="2 rows for layer 'a': they differ in decoder"):
        check_unique(table, ["layer"])
    check_unique(table, ["layer", "decoder"])


def test_without_a_row_for_all_the_point_is_the_mean_of_its_seeds_and_the_band_spans_them(seeds):
    points = pooled(seeds, ["point"], "score", ("low", "high")).set_index("point")
    assert points.loc["a", ["score", "low", "high"]].tolist() == [3.0, 1.0, 6.0]
    assert points.loc["b", ["score", "low", "high"]].tolist() == [9.0, -1.0, 1.0]


def test_the_order_of_rows_does_not_matter_to_pooling(seeds, rng):
    def by_point(table):
        return pooled(table, ["point"], "score", ("low", "high")).set_index("point")["score"]

    shuffled = seeds.iloc[rng.permutation(len(seeds))]
    assert by_point(shuffled).to_dict() == by_point(seeds).to_dict()


def test_single_seeds_leave_out_the_row_for_all_and_need_a_column_of_seeds(seeds):
    assert single_seeds(seeds)["seed"].tolist() == [0, 1, 2, 0, 1]
    assert single_seeds(seeds.drop(columns="seed")).empty


def test_rows_are_chosen_by_every_column_and_come_in_order_of_index(seeds):
    chosen = where(seeds.iloc[::-1], {"point": "a", "seed": "1"})
    assert chosen["score"].tolist() == [2.0]
    assert where(seeds.iloc[::-1], {"point": "a"}).index.tolist() == [0, 1, 2]


def test_a_point_is_named_in_plain_words():
    table = pd.DataFrame({"trial": [3, 3], "layer": ["a", "a"], "score": [0.1, 0.2]})
    with pytest.raises(ValueError, match="2 rows for layer 'a', trial 3: nothing but"):
        check_unique(table, ["layer", "trial"])
