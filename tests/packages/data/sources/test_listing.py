import pandas as pd
import pytest
from facelab_data.sources import listing


def test_images_are_listed_at_any_depth_and_hidden_ones_passed_over(tmp_path, put):
    put("b/x.PNG", "a/deep/y.jpg", "a/z.tiff", "a/._z.tiff", ".cache/q.png")
    put.text("a/notes.txt", "no image")
    assert listing.images(tmp_path) == ["a/deep/y.jpg", "a/z.tiff", "b/x.PNG"]


def test_linked_folders_are_entered(tmp_path, put):
    put("there/a/x.png")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "b").symlink_to(tmp_path / "there" / "a")
    assert listing.images(tmp_path / "here") == ["b/x.png"]


def test_a_link_that_leads_back_is_refused_rather_than_followed_forty_times(tmp_path, put):
    put("a/x.png", "b/y.png")
    (tmp_path / "b" / "again").symlink_to(tmp_path)
    with pytest.raises(ValueError, match=r"b/again is a link back to .*, in which it lies"):
        listing.images(tmp_path)


def test_two_links_to_one_folder_are_both_entered(tmp_path, put):
    put("there/x.png")
    (tmp_path / "here").mkdir()
    for name in "ab":
        (tmp_path / "here" / name).symlink_to(tmp_path / "there")
    assert listing.images(tmp_path / "here") == ["a/x.png", "b/x.png"]


def test_a_name_that_is_no_text_is_named(tmp_path, put):
    put("a/x.png")
    (tmp_path / "a" / "x.png").rename(tmp_path / "a" / "\udcff.png")
    with pytest.raises(ValueError, match=r"holds 'a/.udcff.png', whose name is no UTF-8"):
        listing.images(tmp_path)


def test_absent_and_empty_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        listing.images(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"holds no images; accepted are .bmp, .gif, .jpeg"):
        listing.images(tmp_path)


def test_the_first_folder_is_the_label(tmp_path, put):
    put("cat/1.png", "dog/deep/2.png", "train/3.png")
    table = listing.classes(tmp_path)
    assert table["label"].tolist() == ["cat", "dog", "train"]
    assert "split" not in table


def test_folders_that_are_all_splits_have_their_labels_below(tmp_path, put):
    put("train/cat/1.png", "val/dog/2.png", "Test/dog/3.png")
    table = listing.classes(tmp_path).set_index("file")
    assert table["label"].to_dict() == {
        "Test/dog/3.png": "dog",
        "train/cat/1.png": "cat",
        "val/dog/2.png": "dog",
    }
    assert table["split"].tolist() == ["testing", "training", "validation"]


@pytest.mark.parametrize("loose", ["1.png", "train/1.png"])
def test_images_in_no_folder_are_refused(tmp_path, put, loose):
    put("train/cat/0.png", loose)
    with pytest.raises(ValueError, match=rf"{loose} lies in no folder that would give it a label"):
        listing.classes(tmp_path / "train" if loose == "train/1.png" else tmp_path)


def test_the_first_that_is_there_is_found(tmp_path, put):
    put.text("meta/b.txt", "")
    assert listing.find(tmp_path, ("a.txt", "meta/b.txt"), "") == tmp_path / "meta/b.txt"
    with pytest.raises(FileNotFoundError, match=r"has no a.txt or c.txt; it is at example.org"):
        listing.find(tmp_path, ("a.txt", "c.txt"), "it is at example.org")


def test_lines_have_their_fields_or_are_named(tmp_path, put):
    put.text("a.txt", "\ufeffhow many\nx 1\n\n y   2 \n")
    table = listing.fields(tmp_path / "a.txt", ("name", "code"), skip=1)
    assert table.to_numpy().tolist() == [["x", "1"], ["y", "2"]]
    put.text("b.txt", "x,1\ny\n")
    with pytest.raises(ValueError, match=r"b.txt, line 2: 1 fields instead of 2"):
        listing.fields(tmp_path / "b.txt", ("name", "code"), separator=",")
    put.text("c.txt", "\n")
    with pytest.raises(ValueError, match=r"c.txt lists nothing"):
        listing.fields(tmp_path / "c.txt", ("name",))


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (["a", "b", "a"], "lists a more than once"),
        (["a", "b", "d", "c"], "lists 1 files that are not there: d"),
        (["a"], "says nothing of 2 images: b"),
    ],
)
def test_lists_and_images_must_agree(tmp_path, listed, message):
    listing.check_listed(tmp_path, ["b", "a", "c"], ["a", "b", "c"])
    with pytest.raises(ValueError, match=message):
        listing.check_listed(tmp_path, listed, ["a", "b", "c"])


def test_values_are_replaced_by_what_they_mean():
    values = pd.Series(["f", "m"], dtype="str")
    assert listing.look_up(values, {"f": "female", "m": "male"}, "here").tolist() == [
        "female",
        "male",
    ]
    with pytest.raises(ValueError, match="here knows nothing of 'm'; known are f"):
        listing.look_up(values, {"f": "female"}, "here")
