from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from facelab_data.sources.division import divide, take_in_order
from facelab_data.sources.photographs import InOrder
from facelab_data.splits import Splits

COUNTS = InOrder(training=20, holdout=9)
PARTS = Splits(training=0.5, validation=0.25, testing=0.25, holdout=0.25)


def test_the_first_images_train_the_next_are_held_out_the_rest_is_left_over():
    identity = np.repeat([0, 1], 30)
    split = take_in_order(identity, np.full(60, "training"), COUNTS)
    wanted = ["training"] * 20 + ["holdout"] * 9 + [""]
    assert split.tolist() == wanted * 2


def test_only_training_people_are_counted():
    identity = np.repeat([0, 1, 2], 30)
    split = np.repeat(["training", "validation", "testing"], 30)
    taken = take_in_order(identity, split, COUNTS)
    assert (taken[30:] == split[30:]).all()
    assert (taken[:30] != "training").sum() == 10


def test_too_few_images_are_refused():
    identity = np.repeat([0, 1], [29, 28])
    with pytest.raises(ValueError, match=r"takes 29 images of each .*; 1 has 28"):
        take_in_order(identity, np.full(57, "training"), COUNTS)


def test_people_are_divided_in_fractions(ask):
    table = pd.DataFrame({"mood": np.tile(["sad", "glad"], 32)})
    identity = np.repeat(np.arange(8), 8)
    row = ask("folder", identity="who", splits=PARTS, factors={"mood": "categorical"})
    split = divide(table, identity, {"mood": "image"}, row, 0)
    per_person = pd.Series(split).replace("holdout", "training").groupby(identity).nunique()
    assert (per_person == 1).all()
    assert pd.Series(split).value_counts().to_dict() == {
        "training": 24,
        "holdout": 8,
        "validation": 16,
        "testing": 16,
    }
    assert table["mood"][split == "holdout"].value_counts().to_dict() == {"sad": 4, "glad": 4}


def test_where_nobody_is_known_every_part_has_its_share_of_each_class(ask):
    table = pd.DataFrame({"object": np.repeat(["cat", "dog"], [40, 8])})
    row = ask("folder", splits=replace(PARTS, holdout=0.0), factors={"object": "categorical"})
    split = divide(table, np.arange(48), {"object": "image"}, row, 0)
    assert pd.crosstab(table["object"], split).to_numpy().tolist() == [[10, 20, 10], [2, 4, 2]]


def test_the_official_division_is_kept_and_its_people_held_out_in_order(ask):
    identity = np.repeat([0, 1], 4)
    table = pd.DataFrame({"part": np.repeat(["train", "test"], 4)})
    row = ask("folder", identity="who", split="part", in_order=InOrder(training=2, holdout=1))
    split = divide(table, identity, {}, row, 0)
    assert split.tolist() == ["training", "training", "holdout", "", *["testing"] * 4]


def test_an_official_holdout_is_not_touched(ask):
    table = pd.DataFrame({"part": ["train", "holdout", "train", "test"]})
    row = ask("folder", identity="who", split="part", splits=PARTS)
    split = divide(table, np.array([0, 0, 0, 1]), {}, row, 0)
    assert split.tolist() == ["training", "holdout", "training", "testing"]
