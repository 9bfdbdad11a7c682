from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from facelab_data import stimuli
from facelab_models.augmentation import STILL

from projects import material
from projects.material import Task, describe, label, read_classes

IDENTITY = Task(kind="categorical", weight=1.0, classes="")
AGE = Task(kind="continuous", weight=0.5, classes="")
LISTED = replace(IDENTITY, classes="classes.txt")


@pytest.fixture
def write(tmp_path, rng):
    """Give a maker of sets of twelve images, of one eye or two."""

    def make(splits=("training", "training", "holdout", "validation"), eyes=1):
        factors = pd.DataFrame(
            {
                "identity": [7, 3, 7, 9] * 3,
                "split": list(splits) * 3,
                "mood": ["sad", "happy", "happy", "calm"] * 3,
                "age_years": np.arange(12.0),
            }
        )
        kinds = {"identity": "categorical", "mood": "categorical", "age_years": "continuous"}
        levels = {"identity": "identity", "mood": "image", "age_years": "image"}
        images = rng.integers(256, size=(12, eyes, 8, 8, 3), dtype=np.uint8)
        stimuli.write(tmp_path / "stimuli.h5", [images], factors, kinds, levels)
        return stimuli.read(tmp_path / "stimuli.h5"), images

    return make


@pytest.fixture
def made(write):
    return write()[0]


def deal(labelled, eyes=1, shares=None):
    settings = {"batch_size": 4, "augment": STILL, "shares": shares or {"upright": 1.0}}
    return material.deal(labelled, "cpu", **settings, seed=0, eyes=eyes)


def test_only_what_was_trained_on_can_be_named(made):
    labelled = label(made, {"identity": IDENTITY, "mood": IDENTITY}, {})
    assert labelled.classes == {"identity": ["3", "7"], "mood": ["happy", "sad"]}
    assert labelled.targets["identity"][:4].tolist() == [1, 0, 1, -1]
    assert labelled.targets["mood"][:4].tolist() == [1, 0, 0, -1]


def test_numbers_are_taken_as_they_are(made):
    labelled = label(made, {"age_years": AGE}, {})
    assert labelled.classes == {}
    assert labelled.targets["age_years"][:, 0].tolist() == list(range(12))


@pytest.mark.parametrize("task", ["identity", "mood"])
def test_listed_classes_keep_the_order_of_the_heads_outputs(made, task):
    """A head of four outputs, two of which are shown: by number or by name."""
    names = {"identity": ["9", "8", "7", "6"], "mood": ["sad", "angry", "calm", "bored"]}[task]
    labelled = label(made, {task: LISTED}, {task: names})
    expected = {"identity": [2, -1, 2, 0], "mood": [0, -1, -1, 2]}[task]
    assert labelled.targets[task][:4].tolist() == expected
    assert describe(labelled, {task: LISTED})[task].outputs == 4


@pytest.mark.parametrize(
    ("task", "wanted", "message"),
    [
        ("gender", IDENTITY, r"^unknown task 'gender'; this set has age_years, identity, mood$"),
        (
            "mood",
            AGE,
            r"^'mood' is categorical, no continuous task; choose from categorical, margin$",
        ),
        (
            "age_years",
            IDENTITY,
            r"^'age_years' is continuous, no categorical task; choose from continuous, angle$",
        ),
        (
            "age_years",
            replace(AGE, classes="x.txt"),
            r"^'age_years' is continuous and has no classes to list in x.txt$",
        ),
        (
            "mood",
            LISTED,
            r"^no image's mood is among the 2 listed classes: 'sad' was shown, 'car' is the first",
        ),
    ],
)
def test_a_task_that_does_not_fit_the_set_is_refused(made, task, wanted, message):
    with pytest.raises(ValueError, match=message):
        label(made, {task: wanted}, {"mood": ["car", "plane"]} if wanted is LISTED else {})


def test_a_task_that_cannot_be_learned_is_named(made):
    made.factors.loc[made.factors["split"] == "training", "age_years"] = 30.0
    tasks = {"age_years": AGE}
    with pytest.raises(ValueError, match=r"^task 'age_years': output 0 of the continuous task nev"):
        describe(label(made, tasks, {}), tasks)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"^unknown kind of task 'ordinal'; choose from categ"):
        Task(kind="ordinal", weight=1.0, classes="")


def test_the_scale_is_that_of_the_training_images(made):
    tasks = {"age_years": AGE}
    spec = describe(label(made, tasks, {}), tasks)["age_years"]
    ages = np.array([0, 1, 4, 5, 8, 9])
    assert spec.mean == pytest.approx((ages.mean(),))
    assert spec.sd == pytest.approx((ages.std(),))
    assert spec.weight == 0.5


def test_identity_is_not_scored_on_people_nobody_was_taught(made):
    assert set(deal(label(made, {"identity": IDENTITY}, {}))) == {"training", "holdout"}


def test_a_number_is_scored_on_everybody_unless_nobody_has_one(made):
    assert set(deal(label(made, {"age_years": AGE}, {}))) == {"training", "holdout", "validation"}
    made.factors.loc[made.factors["split"] == "holdout", "age_years"] = np.nan
    assert set(deal(label(made, {"age_years": AGE}, {}))) == {"training", "validation"}


def test_a_set_that_teaches_nothing_is_scored_on_all_its_splits(write):
    made, _ = write(("testing", "testing", "testing", "validation"))
    labelled = label(made, {"identity": IDENTITY}, {})
    assert labelled.classes["identity"] == ["3", "7", "9"]
    assert set(deal(labelled)) == {"testing", "validation"}
    assert describe(labelled, {"identity": IDENTITY})["identity"].outputs == 3


def test_two_eyes_are_dealt_as_six_channels(write):
    made, images = write(eyes=2)
    dealt = deal(label(made, {"identity": IDENTITY}, {}), eyes=2)["holdout"]
    assert dealt.images.shape == (3, 8, 8, 6)
    np.testing.assert_array_equal(dealt.images[..., :3], images[2::4, 0])
    np.testing.assert_array_equal(dealt.images[..., 3:], images[2::4, 1])
    assert deal(label(made, {"identity": IDENTITY}, {}))["holdout"].images.shape == (3, 8, 8, 3)


def test_a_network_with_two_eyes_needs_images_of_two(made):
    with pytest.raises(ValueError, match=r"^the network has two eyes, the images in .* are of one"):
        deal(label(made, {"identity": IDENTITY}, {}), eyes=2)


def test_a_list_of_classes_is_read_line_by_line(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_text("tench\ngreat white shark\n  hen \n")
    assert read_classes(path) == ["tench", "great white shark", "hen"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hen\n\ncock\n", r"classes.txt: line 2 names no class$"),
        (b"", r"classes.txt: line 1 names no class$"),
        (b"hen\ncock\nhen\n", r"classes.txt lists class 'hen' more than once$"),
        (b"\x89PNG\xff", r"classes.txt is no UTF-8 text with one class per line$"),
    ],
)
def test_a_list_that_is_none_is_refused(content, message, tmp_path):
    path = tmp_path / "classes.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_classes(path)


def test_every_person_is_shown_in_every_view_by_its_share():
    identity = np.repeat([3, 1, 2], [40, 8, 12])
    dealt = material.deal_views(identity, {"upright": 0.75, "flip": 0.25})
    for who in (1, 2, 3):
        assert (dealt[identity == who] == "flip").mean() == pytest.approx(0.25)


def test_an_image_is_dealt_as_its_view_shows_it(made):
    labelled = label(made, {"identity": IDENTITY}, {})
    upright, flipped = (
        deal(labelled, shares={view: 1.0})["holdout"] for view in ("upright", "flip")
    )
    assert (flipped.images == upright.images.flip(1)).all()


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"upright": 0.5}, "add up to 0.5, not to 1"),
        ({"sideways": 1.0}, "unknown view 'sideways'; choose from upright, flip"),
        ({"upright": 1.5, "flip": -0.5}, "the share of view 'upright' is 1.5"),
    ],
)
def test_impossible_shares_are_refused(shares, message):
    with pytest.raises(ValueError, match=message):
        material.deal_views(np.zeros(4), shares)
