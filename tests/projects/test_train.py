import numpy as np
import pandas as pd
import pytest
from facelab_data import stimuli

from projects import train


@pytest.fixture
def made(tmp_path, rng):
    split = ["training", "training", "holdout", "validation"] * 3
    factors = pd.DataFrame(
        {
            "identity": [7, 3, 7, 9] * 3,
            "split": split,
            "mood": ["sad", "happy", "happy", "sad"] * 3,
            "age_years": np.arange(12.0),
        }
    )
    kinds = {"identity": "categorical", "mood": "categorical", "age_years": "continuous"}
    levels = {"identity": "identity", "mood": "image", "age_years": "image"}
    images = rng.integers(256, size=(12, 8, 8, 3), dtype=np.uint8)
    stimuli.write(tmp_path / "stimuli.h5", [images], factors, kinds, levels)
    return stimuli.read(tmp_path / "stimuli.h5")


def test_only_people_who_were_trained_on_can_be_named(made):
    targets, classes = train.label(made, ("identity",))
    assert classes["identity"] == ["3", "7"]
    assert targets["identity"][:4].tolist() == [1, 0, 1, -1]


def test_other_classes_are_those_of_the_whole_set(made):
    targets, classes = train.label(made, ("mood", "age_years"))
    assert classes == {"mood": ["happy", "sad"]}
    assert targets["mood"][:4].tolist() == [1, 0, 0, 1]
    assert targets["age_years"][:, 0].tolist() == list(range(12))


def test_a_factor_that_the_set_lacks_is_named(made):
    with pytest.raises(ValueError, match="unknown task 'gender'; this set has"):
        train.label(made, ("gender",))


def test_identity_is_not_scored_on_people_nobody_was_taught(made):
    row = train.Network(
        stimuli="faces",
        trunk="resnet6_thin",
        tasks={"identity": 1.0},
        seeds=(0,),
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        batch_size=4,
        augment=train.STILL,
        fit=None,
    )
    targets, _ = train.label(made, ("identity",))
    dealt = train.deal(made, targets, row, seed=0)
    assert set(dealt) == {"training", "holdout"}


def test_a_learning_curve_is_the_mean_over_seeds_at_whole_epochs():
    rows = [(0, 0.5, 9.0), (0, 1.0, 2.0), (1, 1.0, 4.0), (0, 2.0, 1.0), (1, 2.0, 2.0)]
    history = pd.DataFrame(rows, columns=["seed", "epoch", "value"])
    history = history.assign(split="holdout", task="identity", measure="loss")
    found = train.mean_curves(history)
    assert found == [("identity/holdout_loss", 1, 3.0), ("identity/holdout_loss", 2, 1.5)]
