from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from facelab_data.factors import FACTORS, Design, columns, sample
from facelab_data.splits import Splits, check

DESIGN = Design(
    identities=250,
    images_per_identity=16,
    genders=("female", "male"),
    ethnicities=("african", "asian", "caucasian"),
    expressions=FACTORS["expression"].values,
    ages_years=(20.0, 60.0),
    shape_sd=1.0,
    albedo_sd=0.5,
    rotation_deg=(20.0, 30.0, 10.0),
    translation_mm=(30.0, 30.0, 50.0),
    light_deg=(45.0, 90.0),
    backgrounds=8,
    splits=Splits(training=0.7, validation=0.15, testing=0.15, holdout=0.125),
)
SHAPES, ALBEDOS = ("chin", "nose", "brow"), ("melanin", "redness")
SEEN = [name for name, factor in FACTORS.items() if factor.level == "image"]


@pytest.fixture(scope="module")
def faces():
    return sample(DESIGN, SHAPES, ALBEDOS, seed=1)


def indicators(values):
    """Numbers as they are, each category as a column of zeros and ones."""
    if values.dtype.kind == "f":
        return values.to_numpy()[:, None]
    codes = np.unique(values.to_numpy(dtype=object), return_inverse=True)[1]
    return np.eye(codes.max() + 1)[codes]


def largest_correlation(a, b):
    together = np.corrcoef(np.c_[a, b].T)
    return np.abs(together[: a.shape[1], a.shape[1] :]).max()


@pytest.mark.parametrize("backgrounds", [8, 250])
def test_no_two_factors_of_an_image_are_correlated(backgrounds):
    faces = sample(replace(DESIGN, backgrounds=backgrounds), SHAPES, ALBEDOS, seed=2)
    coded = {name: indicators(faces[name]) for name in SEEN}
    worst = {(a, b): largest_correlation(coded[a], coded[b]) for a in SEEN for b in SEEN if a < b}
    assert max(worst.values()) <= 0.02


def test_the_same_measure_finds_a_factor_that_was_made_to_follow_another(faces):
    follower = faces["rotation_x_deg"] + 20 * (faces["expression"] == "happy")
    assert largest_correlation(indicators(follower), indicators(faces["expression"])) > 0.2


@pytest.mark.parametrize("about", ["split", "gender", "ethnicity", "identity"])
def test_how_a_face_is_seen_says_nothing_of_who_it_is(faces, about):
    known = indicators(faces[about].astype(str))
    assert max(largest_correlation(indicators(faces[name]), known) for name in SEEN) <= 0.05
    continuous = [name for name in SEEN if faces[name].dtype.kind == "f"]
    assert max(largest_correlation(indicators(faces[name]), known) for name in continuous) <= 0.02


def test_gender_and_ethnicity_are_crossed_and_balanced_within_each_split(faces):
    people = faces[faces["split"] != "holdout"].drop_duplicates("identity")
    for _, part in people.groupby("split"):
        counts = part[["gender", "ethnicity"]].value_counts()
        assert len(counts) == 6
        assert counts.max() - counts.min() <= 1


def test_age_fills_its_range_in_every_group(faces):
    people = faces.drop_duplicates("identity")
    assert people["age_years"].between(20, 60).all()
    assert (people.groupby(["gender", "ethnicity"])["age_years"].mean() - 40).abs().max() < 1


def test_each_person_meets_every_background_equally_often(faces):
    assert (faces.groupby("identity")["background"].value_counts() == 2).all()
    counts = pd.crosstab(faces["identity"], faces["expression"])
    assert set(np.unique(counts)) == {2, 3}


def test_identities_are_constant_and_disjoint_between_splits(faces):
    people = [name for name in faces if name not in SEEN and name != "split"]
    assert (faces[people].groupby("identity").nunique() == 1).all(axis=None)
    check(faces["identity"].to_numpy(), faces["split"].to_numpy(dtype=object))
    held = faces[faces["split"] == "holdout"]
    assert len(held) == 175 * 2
    assert np.ptp(held["expression"].value_counts()) <= 1


def test_coefficients_have_the_spread_that_was_asked_for(faces):
    people = faces.drop_duplicates("identity")
    shape, albedo = (people[list(columns(*of))] for of in [("shape", 3), ("albedo", 2)])
    assert 0.85 < shape.to_numpy().std() < 1.05
    assert 0.42 < albedo.to_numpy().std() < 0.53
    assert np.abs(albedo.to_numpy()).max() <= 1.25


def test_ranges_are_used_up_and_a_range_of_nothing_is_constant():
    still = replace(DESIGN, rotation_deg=(0.0, 30.0, 0.0))
    faces = sample(still, SHAPES, ALBEDOS, seed=0)
    assert (faces[["rotation_x_deg", "rotation_z_deg"]] == 0).all(axis=None)
    assert 29.9 < faces["rotation_y_deg"].max() <= 30
    assert -30 <= faces["rotation_y_deg"].min() < -29.9


def test_the_seed_decides_everything(faces):
    pd.testing.assert_frame_equal(faces, sample(DESIGN, SHAPES, ALBEDOS, seed=1))
    other = sample(DESIGN, SHAPES, ALBEDOS, seed=2)
    assert (faces["rotation_x_deg"] != other["rotation_x_deg"]).all()


def test_more_coefficients_leave_everything_else_as_it_was(faces):
    more = sample(DESIGN, (*SHAPES, "ear"), ALBEDOS, seed=1)
    others = [name for name in faces if not name.startswith(("shape", "albedo"))]
    pd.testing.assert_frame_equal(faces[others], more[others])


@pytest.mark.parametrize(("identities", "images"), [(1, 1), (1, 5), (7, 1), (5, 3)])
def test_small_sets_can_be_drawn_too(identities, images):
    everyone = Splits(training=1, validation=0, testing=0, holdout=0.2)
    small = replace(DESIGN, identities=identities, images_per_identity=images, splits=everyone)
    faces = sample(small, SHAPES, ALBEDOS, seed=0)
    assert len(faces) == identities * images
    assert not faces.isna().any(axis=None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"identities": 0}, "identities is 0; at least 1"),
        ({"backgrounds": 0}, "backgrounds is 0"),
        ({"expressions": ("happy", "smug")}, "expressions has 'smug'; known are neutral, happy"),
        ({"genders": ()}, "genders is"),
        ({"ethnicities": ("asian", "asian")}, "each once"),
        ({"rotation_deg": (10.0, -5.0, 0.0)}, r"rotation_deg is \[10.0, -5.0, 0.0\]"),
        ({"light_deg": (float("inf"), 0.0)}, "light_deg is"),
        ({"shape_sd": -1.0}, "shape_sd is"),
        ({"ages_years": (60.0, 20.0)}, "ages_years is 60 to 20"),
    ],
)
def test_impossible_designs_are_refused_in_one_line(change, message):
    with pytest.raises(ValueError, match=message) as refusal:
        replace(DESIGN, **change)
    assert "\n" not in str(refusal.value)


def test_too_few_people_for_the_splits_are_refused():
    with pytest.raises(ValueError, match="2 identities cannot fill 3 splits"):
        sample(replace(DESIGN, identities=2), SHAPES, ALBEDOS, seed=0)
