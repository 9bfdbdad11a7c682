from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from facelab_data import stimuli
from facelab_data.sources.folders import read_folder
from facelab_data.sources.photographs import InOrder, Photographs
from facelab_data.splits import Splits, check
from PIL import Image


@pytest.fixture
def folder(tmp_path):
    """Ten people, 8 images each; how bright an image is says whose it is and which."""
    rows = []
    folder = tmp_path / "photographs"
    for person in range(10):
        (folder / f"p{person}").mkdir(parents=True)
        for image in range(8):
            file = f"p{person}/{image}.png"
            pixels = np.full((12, 10, 3), 20 * person + image, np.uint8)
            Image.fromarray(pixels).save(folder / file)
            mood, sex = ["sad", "glad", "calm", "cross"][image % 4], ["f", "m"][person % 2]
            part = "train" if person < 7 else "test"
            rows.append([file, f"p{person}", mood, sex, 20.5 + person, part])
    columns = ["file", "name", "mood", "sex", "age", "part"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "labels.csv", index=False)
    return folder


@pytest.fixture
def wanted(folder):
    return Photographs(
        source="csv",
        path=str(folder),
        labels="labels.csv",
        file_column="file",
        identity="name",
        split="",
        factors={"mood": "categorical", "sex": "categorical", "age": "continuous"},
        missing=(),
        size_px=6,
        crop=(0.1, 0.1, 0.9, 0.9),
        grey=False,
        keep={},
        select=(),
        splits=Splits(training=0.6, validation=0.2, testing=0.2, holdout=0.25),
        in_order=InOrder(training=0, holdout=0),
    )


def imported(tmp_path, wanted, seed=0):
    read_folder(tmp_path / "set.h5", wanted, seed)
    return stimuli.read(tmp_path / "set.h5")


def test_every_image_keeps_its_labels(tmp_path, wanted):
    read = imported(tmp_path, wanted)
    factors = read.factors
    image = factors["file"].str[3].astype(int)
    assert (read.images()[:, 0, 0, 0] == 20 * factors["identity"] + image).all()
    assert (factors["sex"] == np.array(["f", "m"])[factors["identity"] % 2]).all()
    assert (factors["age"] == 20.5 + factors["identity"]).all()
    assert read.names["identity"] == tuple(f"p{person}" for person in range(10))


def test_what_belongs_to_people_and_what_to_images_is_told_apart(tmp_path, wanted):
    read = imported(tmp_path, wanted)
    assert read.levels == {"identity": "identity", "sex": "identity", "age": "identity"} | {
        "mood": "image"
    }
    assert read.kinds["age"] == "continuous"


def test_splits_are_balanced_over_labels(tmp_path, wanted):
    factors = imported(tmp_path, wanted).factors
    check(factors["identity"].to_numpy(), factors["split"].to_numpy(dtype=object))
    people = factors[factors["split"] != "holdout"].drop_duplicates("identity")
    assert people[["split", "sex"]].value_counts().to_dict() == {
        (split, sex): count
        for split, count in [("training", 3), ("validation", 1), ("testing", 1)]
        for sex in "fm"
    }
    held = factors[factors["split"] == "holdout"]
    assert held["mood"].value_counts().to_dict() == dict.fromkeys(held["mood"].unique(), 3)


def test_the_data_sets_own_division_is_taken_over(tmp_path, wanted):
    factors = imported(tmp_path, replace(wanted, split="part")).factors
    assert set(factors.loc[factors["identity"] >= 7, "split"]) == {"testing"}
    assert factors["split"].value_counts().to_dict() == {
        "training": 42,
        "holdout": 14,
        "testing": 24,
    }


def test_an_own_division_that_shares_people_is_refused(tmp_path, folder, wanted):
    table = pd.read_csv(folder / "labels.csv")
    table.loc[3, "part"] = "test"
    table.to_csv(folder / "labels.csv", index=False)
    with pytest.raises(ValueError, match="training and testing share 1 identities: 0"):
        imported(tmp_path, replace(wanted, split="part"))
    assert not (tmp_path / "set.h5").exists()


def test_without_people_every_image_stands_for_itself(tmp_path, wanted):
    factors = {"mood": "categorical"}
    read = imported(tmp_path, replace(wanted, identity="", factors=factors))
    assert "identity" not in read.kinds
    assert read.factors["identity"].is_unique
    assert read.levels == {"mood": "image"}
    assert read.factors["split"].value_counts().to_dict() == {
        "training": 48,
        "validation": 16,
        "testing": 16,
    }


def test_folder_names_are_labels_too(tmp_path, wanted):
    read = imported(
        tmp_path, replace(wanted, source="folder", labels="", file_column="", factors={})
    )
    assert read.kinds == {"identity": "categorical"}
    assert (read.images()[:, 0, 0, 0] // 20 == read.factors["identity"]).all()


def test_the_same_photographs_give_the_same_bytes_and_the_seed_decides_the_splits(tmp_path, wanted):
    one = imported(tmp_path, wanted).path.read_bytes()
    assert imported(tmp_path, wanted).path.read_bytes() == one
    assert imported(tmp_path, wanted, seed=1).path.read_bytes() != one


def test_one_unreadable_photograph_leaves_nothing_half_imported(tmp_path, folder, wanted):
    (folder / "p9" / "7.png").write_text("gone")
    with pytest.raises(ValueError, match=r"cannot read image .*p9/7.png"):
        imported(tmp_path, wanted)
    assert list(tmp_path.iterdir()) == [folder]


def test_labels_known_in_some_images_stay_unknown_in_the_others(tmp_path, folder, wanted):
    table = pd.read_csv(folder / "labels.csv")
    table.loc[::3, "sex"] = np.nan
    table.loc[5:9, "age"] = np.nan
    table.to_csv(folder / "labels.csv", index=False)
    read = imported(tmp_path, replace(wanted, missing=("sex", "age")))
    assert read.factors["sex"].isna().sum() == 27
    assert read.factors["age"].isna().sum() == 5
    assert read.levels["sex"] == "identity"
