import pytest
from facelab_data.sources.places365 import read

INDEX = "/a/airfield 0\n/a/apartment_building/outdoor 8\n"
TRAIN = "/a/airfield/00000001.jpg 0\n/a/apartment_building/outdoor/00000001.jpg 8\n"
VAL = "Places365_val_00000001.jpg 8\nPlaces365_val_00000002.jpg 0\n"


@pytest.fixture
def lists(put):
    put(*(f"data_256{line.split()[0]}" for line in TRAIN.splitlines()))
    put(*(f"val_256/{line.split()[0]}" for line in VAL.splitlines()))
    put.text("places365_train_standard.txt", TRAIN)
    put.text("places365_val.txt", VAL)
    put.text("categories_places365.txt", INDEX)
    return put


def test_official_lists_are_read(lists, ask):
    table = read(ask("places365"))
    assert table["file"].tolist() == [
        "data_256/a/airfield/00000001.jpg",
        "data_256/a/apartment_building/outdoor/00000001.jpg",
        "val_256/Places365_val_00000001.jpg",
        "val_256/Places365_val_00000002.jpg",
    ]
    outdoor = "apartment_building/outdoor"
    assert table["category"].tolist() == ["airfield", outdoor, outdoor, "airfield"]
    assert table["category_index"].tolist() == ["0", "8", "8", "0"]
    assert table["split"].tolist() == ["training"] * 2 + ["validation"] * 2


@pytest.mark.parametrize(
    ("places", "category"),
    [
        (("train/a/airfield/1.jpg", "val/a/arch/1.jpg"), ["airfield", "arch"]),
        (("train/airfield/1.jpg", "val/arch/1.jpg"), ["airfield", "arch"]),
        (("train/a/x/indoor/1.jpg", "val/a/x/outdoor/1.jpg"), ["x/indoor", "x/outdoor"]),
    ],
)
def test_folders_are_read_with_and_without_letters(put, ask, places, category):
    put(*places)
    table = read(ask("places365"))
    assert table["category"].tolist() == category
    assert table["split"].tolist() == ["training", "validation"]


def test_numbers_are_found_for_both_ways_of_writing_a_category(put, ask):
    put("train/apartment_building-outdoor/1.jpg", "val/airfield/1.jpg")
    put.text("categories_places365.txt", INDEX)
    assert read(ask("places365"))["category_index"].tolist() == ["8", "0"]


def test_the_validation_list_needs_the_names_of_its_numbers(lists, ask, tmp_path):
    (tmp_path / "categories_places365.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"no categories_places365.txt; Places365 is at"):
        read(ask("places365"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("places365_val.txt", VAL[:-3], "line 2: 1 fields instead of 2"),
        ("places365_val.txt", VAL[: VAL.index("\n")], "says nothing of 1 images: Places365_val_0"),
        ("places365_val.txt", VAL.replace(" 8", " 9"), "knows nothing of '9'"),
        ("places365_train_standard.txt", TRAIN + "/b/bar/1.jpg 3\n", "not there: b/bar/1.jpg"),
        ("categories_places365.txt", "/a/airfield 0\n", "knows nothing of '8'"),
    ],
)
def test_lists_that_do_not_fit_are_refused(lists, ask, name, text, message):
    lists.text(name, text)
    with pytest.raises(ValueError, match=message):
        read(ask("places365"))


def test_other_folders_are_refused(put, ask):
    put("airfield/1.jpg")
    with pytest.raises(FileNotFoundError, match=r"has no train or places365_train_.*; Places365"):
        read(ask("places365"))
