import numpy as np
import pytest
from facelab_probing.transfer import TransferConfig, resemblance, transfer_identity
from facelab_probing.tuning import TuningConfig

TUNING = TuningConfig(
    sampler="grid", trials=5, penalty_range=(0.1, 1000.0), steps_per_decade=1, storage="", seed=0
)
CONFIG = TransferConfig(decoder="lda", folds=3, tuning=TUNING)
PEOPLE, EACH, UNITS = 30, 9, 12


@pytest.fixture
def faces():
    """Thirty people, nine images each; who it is moves the units, noise moves them less."""
    rng = np.random.default_rng(0)
    identity = np.repeat(np.arange(PEOPLE), EACH)
    split = np.repeat(np.repeat(["training", "validation", "testing"], 10), EACH)
    code = 3 * rng.normal(size=(PEOPLE, UNITS))[identity]
    return rng, identity, split, code


def test_a_code_that_turning_leaves_alone_transfers_whole(faces):
    rng, identity, split, code = faces
    shown = {view: code + rng.normal(size=code.shape) for view in ("upright", "flip")}
    found = transfer_identity(shown, identity, split, CONFIG, seed=0, name="layer")
    assert found["upright"].mean() > 0.95
    assert found["flip"].mean() > 0.95
    assert found["flip"].shape == (10,)


def test_a_code_that_turning_scrambles_falls_to_chance(faces):
    rng, identity, split, code = faces
    noise = 3 * rng.normal(size=code.shape)
    shown = {"upright": code + rng.normal(size=code.shape), "flip": noise}
    found = transfer_identity(shown, identity, split, CONFIG, seed=0, name="layer")
    assert found["upright"].mean() > 0.95
    assert abs(found["flip"].mean()) < 0.15


def test_no_image_is_asked_about_that_was_fitted_in_another_view(faces):
    """Units that only tell images apart: an image met upright would be known upside down."""
    rng, identity, split, _ = faces
    own = rng.normal(size=(len(identity), 200))
    shown = {"upright": own, "flip": own}
    found = transfer_identity(shown, identity, split, CONFIG, seed=0, name="layer")
    assert abs(found["flip"].mean()) < 0.15
    assert np.array_equal(found["flip"], found["upright"])


def test_views_of_other_images_are_refused(faces):
    _, identity, split, code = faces
    with pytest.raises(ValueError, match="view 'flip' has units"):
        transfer_identity(
            {"upright": code, "flip": code[:5]}, identity, split, CONFIG, seed=0, name="layer"
        )


def test_resemblance_is_that_of_numpy(faces):
    rng, identity, _, code = faces
    upright, inverted = code, code + rng.normal(size=code.shape)
    found = resemblance(upright, inverted, identity)
    means = [
        np.array([units[identity == who].mean(axis=0) for who in range(PEOPLE)])
        for units in (upright, inverted)
    ]
    means = [mean - mean.mean(axis=0) for mean in means]
    table = np.corrcoef(*means)[:PEOPLE, PEOPLE:]
    assert np.allclose(found["same"], table.diagonal())
    others = [np.delete(row, who).mean() for who, row in enumerate(table)]
    assert np.allclose(found["others"], others)


def test_what_all_inverted_faces_share_makes_none_resemble_its_upright_self(faces):
    rng, identity, _, code = faces
    shared = 50 * rng.normal(size=UNITS)
    moved = resemblance(code, code + shared, identity)
    assert moved["same"] == pytest.approx(np.ones(PEOPLE))
    null = resemblance(code, shared + rng.normal(size=code.shape), identity)
    assert abs(null["same"].mean()) < 0.2
    assert abs(null["others"].mean()) < 0.05
