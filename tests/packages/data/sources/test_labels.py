from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from facelab_data.sources.labels import codes, read
from facelab_data.sources.photographs import InOrder, Photographs, Selection
from facelab_data.splits import Splits


@pytest.fixture
def folder(tmp_path):
    """Three people, 5, 4 and 2 images, with labels; the pixels are never looked at here."""
    rows = []
    for person, count in [("Cy", 2), ("Bo", 4), ("Ann", 5)]:
        (tmp_path / person).mkdir()
        for image in range(count):
            (tmp_path / person / f"{image}.jpg").touch()
            mood = ["sad", "glad"][image % 2]
            rows.append([f"{person}/{image}.jpg", person, mood, 20 + count + image / 2, "train"])
    columns = ["image", "name", "mood", "age", "part"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


@pytest.fixture
def wanted(folder):
    return Photographs(
        source="csv",
        path=str(folder),
        labels="labels.csv",
        file_column="image",
        identity="name",
        split="",
        factors={"mood": "categorical", "age": "continuous"},
        missing=(),
        size_px=8,
        crop=(0.0, 0.0, 1.0, 1.0),
        grey=False,
        keep={},
        select=(),
        splits=Splits(training=1, validation=0, testing=0, holdout=0.25),
        in_order=InOrder(training=0, holdout=0),
    )


def by_folder(wanted):
    return replace(wanted, source="folder", labels="", file_column="", factors={})


def edit(folder, change):
    table = pd.read_csv(folder / "labels.csv", dtype="str")
    change(table).to_csv(folder / "labels.csv", index=False)


def cell(row, column, value):
    def change(table):
        table.loc[row, column] = value
        return table

    return change


def test_rows_come_by_person_and_file_whatever_the_order_in_the_file(folder, wanted):
    table = read(wanted)
    assert table["person"].tolist() == ["Ann"] * 5 + ["Bo"] * 4 + ["Cy"] * 2
    assert table["file"].tolist()[:2] == ["Ann/0.jpg", "Ann/1.jpg"]
    assert table["age"].tolist()[:2] == [25.0, 25.5]
    edit(folder, lambda labels: labels.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(read(wanted), table)


def test_folders_name_people_when_there_is_no_file(folder, wanted):
    (folder / "Ann" / "._0.jpg").touch()
    (folder / "Ann" / "notes.txt").touch()
    table = read(by_folder(wanted))
    assert table["person"].value_counts().to_dict() == {"Ann": 5, "Bo": 4, "Cy": 2}


def test_folders_can_name_another_factor(folder, wanted):
    objects = replace(by_folder(wanted), identity="", factors={"object": "categorical"})
    table = read(objects)
    assert table["object"].value_counts().to_dict() == {"Ann": 5, "Bo": 4, "Cy": 2}
    assert table["person"].is_unique


def test_a_selection_is_made_before_people_are_numbered(wanted):
    step = Selection(per="name", min_images=2, max_images=4, groups=0, images=2)
    table = read(replace(wanted, select=(step,)))
    assert table["person"].tolist() == ["Bo"] * 2 + ["Cy"] * 2
    kept = read(replace(wanted, keep={"mood": ("sad",)}, factors={}))
    assert kept["person"].value_counts().to_dict() == {"Ann": 3, "Bo": 2, "Cy": 1}


def test_a_label_that_no_longer_varies_is_no_factor(wanted):
    with pytest.raises(ValueError, match="factor 'mood' is 'sad' wherever it is known"):
        read(replace(wanted, keep={"mood": ("sad",)}))


def test_whole_numbers_stay_numbers_and_other_words_do_not(folder, wanted):
    def column(values):
        table = pd.read_csv(folder / "labels.csv", dtype="str")
        table["code"] = values
        table.to_csv(folder / "labels.csv", index=False)
        return read(replace(wanted, factors={"code": "categorical"}, missing=("code",)))["code"]

    numbers = [str(value) for value in range(11)]
    assert column(numbers).dtype == "int64"
    assert set(column(numbers)) == set(range(11))
    for odd in ("007", "-1", "1.0", "x"):
        assert column([*numbers[:10], odd]).iloc[-1:].dtype == "str"
    assert column([*numbers[:10], np.nan]).dtype == "str"


def test_an_unknown_source_is_refused(wanted):
    with pytest.raises(ValueError, match="unknown source 'celebb'; known are folder, csv, avatar"):
        read(replace(wanted, source="celebb", labels="", file_column=""))


def test_people_are_numbered_by_value_or_by_alphabet():
    numbers, labels = codes(pd.Series(["10", "9", "10"]))
    assert (numbers.tolist(), labels) == ([1, 0, 1], ("9", "10"))
    numbers, labels = codes(pd.Series(["p10", "p9"]))
    assert (numbers.tolist(), labels) == ([0, 1], ("p10", "p9"))


def test_words_that_mean_nothing_to_some_readers_are_labels_here(folder, wanted):
    edit(folder, cell(0, "mood", "NA"))
    assert "NA" in set(read(wanted)["mood"])


def test_empty_cells_are_refused_unless_they_were_announced(folder, wanted):
    edit(folder, cell(0, "mood", np.nan))
    edit(folder, cell(3, "age", np.nan))
    with pytest.raises(ValueError, match="factor 'mood' is empty in 1 of 11 images; name it"):
        read(wanted)
    table = read(replace(wanted, missing=("mood", "age")))
    assert table["mood"].isna().sum() == table["age"].isna().sum() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cell(0, "image", "Cy/9.jpg"), r"lists 1 files that are not there: Cy/9.jpg"),
        (cell(0, "image", "Cy/1.jpg"), r"lists Cy/1.jpg more than once"),
        (cell(0, "name", np.nan), "column 'name' is empty in 1 rows"),
        (cell(0, "age", "old"), "factor 'age' is continuous but holds 'old'"),
        (cell(0, "age", "inf"), "factor 'age' is continuous but holds 'inf'"),
        (lambda table: table.assign(mood="sad"), "factor 'mood' is 'sad' wherever it is known"),
        (lambda table: table.assign(mood=np.nan), "factor 'mood' is empty in every image"),
        (lambda table: table[:0], r"labels.csv lists no images"),
        (
            lambda table: table.drop(columns="mood"),
            r"csv in .* has no column 'mood'; it has name, age, part",
        ),
    ],
)
def test_labels_that_would_spoil_an_import_are_named_in_one_line(folder, wanted, change, message):
    edit(folder, change)
    with pytest.raises(ValueError, match=message) as error:
        read(wanted)
    assert "\n" not in str(error.value)


def test_absent_folders_and_files_are_named(folder, wanted):
    with pytest.raises(FileNotFoundError, match="no folder nowhere"):
        read(replace(wanted, path="nowhere"))
    with pytest.raises(FileNotFoundError, match=r"no file of labels .*other.csv"):
        read(replace(wanted, labels="other.csv"))
    (folder / "labels.csv").write_text("")
    with pytest.raises(ValueError, match=r"cannot read .*labels.csv: No columns"):
        read(wanted)


def test_a_folder_without_images_or_with_loose_ones_is_refused(folder, wanted, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(ValueError, match=r"holds no images; accepted are .bmp, .gif, .jpeg"):
        read(replace(by_folder(wanted), path=str(empty)))
    (folder / "loose.png").touch()
    with pytest.raises(ValueError, match=r"loose.png lies in no folder"):
        read(by_folder(wanted))
