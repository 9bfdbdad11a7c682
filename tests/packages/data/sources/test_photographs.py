import pytest
from facelab_data.sources.photographs import InOrder, Selection
from facelab_data.splits import Splits

STEP = {"per": "name", "min_images": 0, "max_images": 0, "groups": 0, "images": 0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size_px": 0}, "size_px is 0"),
        ({"crop": (0.5, 0.0, 0.4, 1.0)}, "crop is"),
        ({"factors": {"mood": "ordinal"}}, r"kind is \['ordinal'\]; known are categorical"),
        ({"factors": {"split": "categorical"}}, r"can be called \['split'\]"),
        ({"missing": ("hair",)}, "not all of which are factors"),
        ({"labels": "a.txt"}, "labels is 'a.txt'; only csv, coco, fer2013, imagenet, voxceleb"),
        ({"file_column": "file"}, "file_column is for source csv"),
        ({"in_order": InOrder(training=2, holdout=1)}, "identity is empty"),
        (
            {
                "identity": "who",
                "in_order": InOrder(training=2, holdout=1),
                "splits": Splits(training=1, validation=0, testing=0, holdout=0.5),
            },
            "splits.holdout must then be 0",
        ),
    ],
)
def test_impossible_requests_are_refused(ask, change, message):
    with pytest.raises(ValueError, match=message):
        ask("folder", **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_images": -1}, "at least 0"),
        ({"min_images": 5, "max_images": 4}, "max_images is 4, min_images 5"),
        ({"per": ""}, "per is empty"),
    ],
)
def test_impossible_steps_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Selection(**(STEP | change))


@pytest.mark.parametrize("counts", [(-1, 0), (0, 3), (3, -1)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="training is at least 1, or both are 0"):
        InOrder(training=counts[0], holdout=counts[1])


def test_every_needed_column_is_named_once(ask):
    row = ask(
        "folder",
        identity="who",
        split="part",
        factors={"mood": "categorical"},
        keep={"mood": ("sad",), "angle": ("S",)},
        select=(Selection(**(STEP | {"per": "who"})), Selection(**(STEP | {"per": "video"}))),
    )
    assert row.columns == ["who", "part", "mood", "angle", "video"]
