import pytest
from facelab_data.sources.plain import read_csv, read_folder, read_two_classes


def test_a_folder_of_folders_is_one_label_and_maybe_a_division(put, ask):
    put("train/cat/1.png", "val/dog/deep/2.png")
    table = read_folder(ask("folder", split="part", factors={"object": "categorical"}))
    assert table["object"].tolist() == ["cat", "dog"]
    assert table["part"].tolist() == ["training", "validation"]


def test_a_folder_cannot_know_two_labels(put, ask):
    put("cat/1.png")
    with pytest.raises(ValueError, match=r"knows one label, not \['who', 'mood'\]"):
        read_folder(ask("folder", identity="who", factors={"mood": "categorical"}))


@pytest.mark.parametrize("part", ["", "train/"])
def test_two_folders_are_two_classes(put, ask, part):
    put(f"{part}geometry/1.png", f"{part}landmark/2.png")
    table = read_two_classes(ask("avatar"))
    assert table["category"].tolist() == ["geometry", "landmark"]
    assert ("split" in table) == bool(part)


@pytest.mark.parametrize("names", [("a",), ("a", "b", "c")])
def test_one_or_three_folders_are_not_two(put, ask, names):
    put(*(f"{name}/1.png" for name in names))
    with pytest.raises(ValueError, match=rf"holds {len(names)} folders \({', '.join(names)}\)"):
        read_two_classes(ask("avatar"))


def test_a_table_keeps_its_words_and_its_empty_cells(put, ask):
    put("a.png", "b.png")
    put.text("list.csv", "\ufeffimage,mood\na.png,NA\nb.png,\n")
    table = read_csv(ask("csv", labels="list.csv", file_column="image"))
    assert table["file"].tolist() == ["a.png", "b.png"]
    assert table["mood"].iloc[0] == "NA"
    assert table["mood"].isna().tolist() == [False, True]


def test_images_beside_the_table_need_not_be_in_it(put, ask):
    put("a.png", "b.png")
    put.text("list.csv", "image\na.png\n")
    assert len(read_csv(ask("csv", labels="list.csv", file_column="image"))) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image\na.png\nc.png\n", r"lists 1 files that are not there: c.png"),
        ("image\na.png\na.png\n", "lists a.png more than once"),
        ("image,mood\n,sad\n", "column 'image' is empty in 1 rows"),
        ("file\na.png\n", "has no column 'image'; it has file"),
        ("image\n", "lists no images"),
        ("image,mood\na.png,sad,\n", "more fields in a row than columns in its first line"),
        ("image,mood\na.png,sad\nb,c,d\n", "cannot read .*Expected 2 fields in line 3, saw 3"),
    ],
)
def test_tables_that_do_not_fit_are_refused(put, ask, text, message):
    put("a.png")
    put.text("list.csv", text)
    with pytest.raises(ValueError, match=message):
        read_csv(ask("csv", labels="list.csv", file_column="image"))
