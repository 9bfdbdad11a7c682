from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
from facelab_data.tables import Table, check, load, store


@pytest.fixture
def table():
    factors = pd.DataFrame(
        {
            "identity": [0, 0, 1, 1],
            "gender": ["male", "male", "female", "female"],
            "expression": pd.Categorical(
                ["sad", "neutral", "neutral", "sad"], categories=["neutral", "sad", "angry"]
            ),
            "age_years": [20.5, 20.5, 30.25, 30.25],
            "background": [3, 1, 3, 1],
            "split": ["training", "holdout", "testing", "testing"],
            "shape_000": np.float32([0.1, 0.1, -2, -2]),
            "shape_001": np.float32([1, 1, 0, 0]),
        }
    )
    continuous = ("age_years", "shape")
    image = ("expression", "background")
    names = ("gender", "expression", "age_years", "background", "shape")
    return Table(
        factors=factors,
        kinds={name: "continuous" if name in continuous else "categorical" for name in names},
        levels={name: "image" if name in image else "identity" for name in names},
        units={"age_years": "years"},
        names={"shape": ("chin", "nose"), "identity": ("Ann", "Bo")},
    )


def changed(table, **columns):
    return replace(table, factors=table.factors.assign(**columns))


def through_a_file(table, tmp_path):
    with h5py.File(tmp_path / "t.h5", "w") as file:
        store(file, table)
    with h5py.File(tmp_path / "t.h5") as file:
        return load(file), {name: dict(dataset.attrs) for name, dataset in file.items()}


def test_what_goes_in_comes_out(table, tmp_path):
    back, _ = through_a_file(table, tmp_path)
    check(back)
    expected = changed(table, expression=table.factors["expression"].astype(str)).factors
    pd.testing.assert_frame_equal(back.factors[expected.columns], expected)
    assert back.outputs == table.outputs
    assert back.outputs["shape"] == ("shape_000", "shape_001")
    for about in ("kinds", "levels", "names"):
        assert getattr(back, about) == dict(getattr(table, about))
    assert back.units["age_years"] == "years"


def test_categories_keep_their_own_order_or_the_alphabets(table, tmp_path):
    _, attributes = through_a_file(table, tmp_path)
    assert attributes["expression"]["categories"] == '["neutral", "sad", "angry"]'
    assert attributes["gender"]["categories"] == '["female", "male"]'
    assert "categories" not in attributes["background"]


def test_absent_values_stay_absent_where_they_are_allowed(table, tmp_path):
    gaps = changed(
        table,
        gender=["male", "male", np.nan, np.nan],
        age_years=[np.nan, np.nan, 30.25, 30.25],
    )
    with pytest.raises(ValueError, match="factor 'gender' lacks 2 of 4 values"):
        check(gaps)
    gaps = replace(gaps, missing=("gender", "age_years"))
    check(gaps)
    back, _ = through_a_file(gaps, tmp_path)
    check(back)
    pd.testing.assert_frame_equal(
        back.factors[["gender", "age_years"]], gaps.factors[["gender", "age_years"]]
    )
    with h5py.File(tmp_path / "t.h5") as file:
        assert file["gender"][:].tolist() == [0, 0, -1, -1]


def test_a_property_of_people_may_be_known_in_some_of_their_images_only(table):
    check(replace(changed(table, gender=["male", np.nan, np.nan, "female"]), missing=("gender",)))
    with pytest.raises(ValueError, match="'gender' varies within identity 1"):
        check(
            replace(changed(table, gender=["male", np.nan, "male", "female"]), missing=("gender",))
        )


def test_what_nobody_decodes_has_no_kind(table, tmp_path):
    back, attributes = through_a_file(table, tmp_path)
    assert "identity" not in back.kinds
    assert attributes["split"]["kind"] == ""
    assert back.factors["split"].tolist() == table.factors["split"].tolist()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"age_years": [20.0, 21.0, 30.0, 30.0]}, "'age_years' varies within identity 0"),
        ({"age_years": [np.inf, np.inf, 1.0, 1.0]}, "'age_years' is not finite"),
        ({"age_years": ["a", "a", "b", "b"]}, "'age_years' is continuous but holds text"),
        ({"background": [0.5, 1, 2, 3]}, "'background' is categorical but holds fractional"),
        ({"identity": [0.5, 0.5, 1, 1]}, "'identity' is float64, not whole numbers"),
        ({"split": ["training"] * 3 + ["testing"]}, "training and testing share 1 identities: 1"),
        ({"split": ["training"] * 3 + ["exam"]}, "unknown split 'exam'"),
    ],
)
def test_contradictions_are_named(table, columns, message):
    check(table)
    with pytest.raises(ValueError, match=message):
        check(changed(table, **columns))


def test_unknown_words_and_absent_columns_are_named(table):
    with pytest.raises(ValueError, match="'gender' has kind 'ordinal'; known are categorical"):
        check(replace(table, kinds=table.kinds | {"gender": "ordinal"}))
    with pytest.raises(ValueError, match="no column 'mood'"):
        check(
            replace(
                table,
                kinds=table.kinds | {"mood": "continuous"},
                levels=table.levels | {"mood": "image"},
            )
        )
    with pytest.raises(ValueError, match="'mood' needs both a kind and a level"):
        check(replace(table, kinds=table.kinds | {"mood": "continuous"}))
    with pytest.raises(ValueError, match="no column 'split'"):
        check(replace(table, factors=table.factors.drop(columns="split")))
    with pytest.raises(ValueError, match="table is empty"):
        check(replace(table, factors=table.factors.iloc[:0]))
