import json

import pytest
from facelab_data.sources.coco import read

CATEGORIES = [
    {"id": 1, "name": "person", "supercategory": "person"},
    {"id": 10, "name": "traffic light", "supercategory": "outdoor"},
]


def instances(names, objects):
    """An instances file: images by name, objects as (image, category, area, crowd)."""
    keys = ("image_id", "category_id", "area", "iscrowd")
    return json.dumps(
        {
            "images": [{"id": key, "file_name": name} for key, name in names.items()],
            "annotations": [
                {"id": i} | dict(zip(keys, values, strict=True)) for i, values in enumerate(objects)
            ],
            "categories": CATEGORIES,
        }
    )


@pytest.fixture
def scenes(put):
    put(*(f"train2017/{name}.jpg" for name in "abc"), "val2017/d.jpg", "unlabeled2017/e.jpg")
    objects = [(7, 1, 50.0, 0), (7, 10, 60.5, 0), (8, 10, 900.0, 1), (8, 1, 2.0, 0)]
    train = instances({7: "a.jpg", 8: "b.jpg", 9: "c.jpg"}, objects)
    put.text("annotations/instances_train2017.json", train)
    put.text("annotations/instances_val2017.json", instances({1: "d.jpg"}, [(1, 1, 1.0, 0)]))
    return put


def test_the_largest_single_object_is_the_category(scenes, ask):
    table = read(ask("coco")).set_index("file")
    assert table["category"].fillna("").to_dict() == {
        "train2017/a.jpg": "traffic light",
        "train2017/b.jpg": "person",
        "train2017/c.jpg": "",
        "val2017/d.jpg": "person",
    }
    assert table["supercategory"].iloc[0] == "outdoor"
    assert table["split"].tolist() == ["training"] * 3 + ["validation"]


def test_presence_counts_crowds_too(scenes, ask):
    table = read(ask("coco"))
    assert table["has_person"].tolist() == ["present", "present", "absent", "present"]
    assert table["has_traffic_light"].tolist() == ["present", "present", "absent", "absent"]


def test_one_part_can_be_taken_and_need_no_labels(scenes, ask):
    assert read(ask("coco", labels="val2017"))["file"].tolist() == ["val2017/d.jpg"]
    bare = read(ask("coco", labels="unlabeled2017"))
    assert bare["file"].tolist() == ["unlabeled2017/e.jpg"]
    assert bare["split"].isna().all()


def test_images_may_lie_in_a_folder_of_their_own(scenes, ask, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "val2017").rename(tmp_path / "images" / "val2017")
    assert read(ask("coco", labels="val2017"))["file"].tolist() == ["images/val2017/d.jpg"]


def test_what_is_not_there_is_named(scenes, ask, tmp_path, put):
    with pytest.raises(FileNotFoundError, match=r"no test2014 or images/test2014; COCO is at"):
        read(ask("coco", labels="test2014"))
    (tmp_path / "val2017" / "d.jpg").rename(tmp_path / "val2017" / "x.jpg")
    with pytest.raises(ValueError, match=r"instances_val2017.json lists 1 files that are not"):
        read(ask("coco"))
    for file in (tmp_path / "annotations").iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r"no annotations/instances_train2017.json; COCO"):
        read(ask("coco"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (instances({1: "d.jpg"}, [])[:-20], "is no whole instances file"),
        (json.dumps({"images": []}), "is no whole instances file: KeyError"),
        (instances({1: "d.jpg"}, [(2, 1, 1.0, 0)]), "in an image it does not list: 2"),
    ],
)
def test_broken_annotations_are_refused(scenes, ask, text, message):
    scenes.text("annotations/instances_val2017.json", text)
    with pytest.raises(ValueError, match=message):
        read(ask("coco", labels="val2017"))
