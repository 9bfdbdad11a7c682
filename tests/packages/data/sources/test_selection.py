import numpy as np
import pandas as pd
import pytest
from facelab_data.sources.photographs import Selection
from facelab_data.sources.selection import arrange, keep, ordered, select

COUNTS = {"2": 3, "10": 5, "1": 5, "30": 4, "4": 7}


@pytest.fixture
def table():
    """Five people of 3 to 7 images, two angles each, in no order."""
    rows = [
        (f"{who}/{image}.jpg", who, "SF"[image % 2], f"v{image // 2}")
        for who, count in COUNTS.items()
        for image in range(count)
    ]
    table = pd.DataFrame(rows, columns=["file", "who", "angle", "video"], dtype="str")
    return table.sample(frac=1, random_state=3)


def step(**changes):
    usual = {"per": "who", "min_images": 0, "max_images": 0, "groups": 0, "images": 0}
    return Selection(**(usual | changes))


def counts(table):
    return table["who"].value_counts().to_dict()


def test_people_can_have_just_so_many_images_and_the_first_be_taken(table):
    exactly = step(min_images=5, max_images=5)
    assert counts(select(table, [exactly])) == {"1": 5, "10": 5}
    assert counts(select(table, [step(min_images=5, max_images=5, groups=1)])) == {"1": 5}
    assert counts(select(table, [step(min_images=4)])) == {"10": 5, "1": 5, "30": 4, "4": 7}
    assert counts(select(table, [step(max_images=4)])) == {"2": 3, "30": 4}


def test_groups_come_by_number_and_not_by_alphabet(table):
    assert list(counts(select(table, [step(groups=3, images=1)]))) == ["1", "2", "4"]
    assert ordered(pd.Series(["b10", "b9"])) == ["b10", "b9"]


def test_of_each_the_first_images_are_taken(table):
    chosen = select(table, [step(images=2)])
    assert chosen["file"].tolist() == [
        f"{who}/{image}.jpg" for who in ("1", "2", "4", "10", "30") for image in (0, 1)
    ]


def test_the_order_of_rows_does_not_matter(table):
    steps = [step(min_images=4, images=3), step(groups=2)]
    chosen = select(table, steps)
    for seed in range(5):
        shuffled = table.sample(frac=1, random_state=seed)
        pd.testing.assert_frame_equal(select(shuffled, steps), chosen)


def test_steps_follow_one_another(table):
    """One frame of each video first; people with three such frames after."""
    table["video"] = table["who"] + table["video"]
    chosen = select(table, [step(per="video", images=1), step(min_images=3)])
    assert counts(chosen) == {"1": 3, "10": 3, "4": 4}
    assert chosen["video"].is_unique


def test_images_are_kept_for_their_labels(table):
    straight = keep(table, {"angle": ("S",)})
    assert set(straight["angle"]) == {"S"}
    assert counts(straight) == {"2": 2, "10": 3, "1": 3, "30": 2, "4": 4}
    assert counts(keep(table, {"angle": ("S", "F"), "who": ("1", "2")})) == {"1": 5, "2": 3}


def test_a_value_that_nobody_has_is_named_with_the_choices(table):
    with pytest.raises(ValueError, match="no image left has angle 'X'; there are F, S"):
        keep(table, {"angle": ("X",)})
    with pytest.raises(ValueError, match="no value of angle is wanted"):
        keep(table, {"angle": ()})


def test_a_step_that_leaves_nothing_names_the_largest_group(table):
    message = r"no who has 8 to any number of images; most has '4': 7"
    with pytest.raises(ValueError, match=message):
        select(table, [step(min_images=8)])


def test_images_without_the_label_are_left_out(table):
    table.loc[table["who"] == "4", "video"] = np.nan
    assert "4" not in counts(select(table, [step(per="video")]))


def test_arranging_orders_by_label_then_file(table):
    assert arrange(table, "who")["file"].tolist()[:6] == [
        *(f"1/{image}.jpg" for image in range(5)),
        "2/0.jpg",
    ]
