import h5py
import numpy as np
import pandas as pd
import pytest
from facelab_data import stimuli
from facelab_data.words import Words, paint
from facelab_models.network import NetworkSpec, build
from facelab_models.tasks import join, specify

from projects.inversion.answers import UNKNOWN, ask, catalogue, keep, rank_of

VIEWS = ("upright", "flip", "rotate_090")


@pytest.fixture
def made(tmp_path, rng):
    identity = np.repeat([4, 7, 9], 4)
    split = ["training", "holdout", "holdout", "holdout"] * 2 + ["validation"] * 4
    factors = pd.DataFrame({"identity": identity, "split": split, "mood": ["sad", "glad"] * 6})
    kinds = dict.fromkeys(("identity", "mood"), "categorical")
    levels = {"identity": "identity", "mood": "image"}
    images = rng.integers(256, size=(12, 16, 16, 3), dtype=np.uint8)
    stimuli.write(tmp_path / "stimuli.h5", [images], factors, kinds, levels)
    return stimuli.read(tmp_path / "stimuli.h5")


def networks(seeds=2, joined=False):
    """Make untrained networks, two checkpoints each, that know persons 4 and 7 and two moods."""
    specs = {name: specify("categorical", np.array([0, 1]), 1.0) for name in ("identity", "mood")}
    spec = NetworkSpec(
        trunk="resnet6_thin",
        tasks=join(specs) if joined else specs,
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
    )
    classes = {"identity": ["4", "7"], "mood": ["glad", "sad"]}
    return {
        seed: [
            (
                build(spec, seed=10 * seed + epoch).eval(),
                {"epoch": float(epoch), "classes": classes},
            )
            for epoch in (0, 1)
        ]
        for seed in range(seeds)
    }


def test_only_people_the_network_knows_are_asked_about(made):
    found = ask(networks(), made, "identity", "holdout", VIEWS)
    assert found.identity.tolist() == [4, 4, 4, 7, 7, 7]
    assert found.truth.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.named.shape == (2, 2, 3, 6)
    with pytest.raises(ValueError, match="no image of split 'validation' has one of the classes"):
        ask(networks(), made, "identity", "validation", VIEWS)


def test_the_right_class_is_ranked_above_all_others_where_the_answer_is_right(made):
    found = ask(networks(), made, "identity", "holdout", VIEWS)
    shown = found.named != UNKNOWN
    assert np.array_equal(found.rank[shown] == 1, (found.named == found.truth)[shown])
    assert np.isnan(found.rank[~shown]).all()
    said = np.array([[3.0, 1, 2, 0], [1, 1, 1, 1]])
    assert rank_of(said, np.array([2, 0])) == pytest.approx([2 / 3, 1 / 2])


def test_angles_are_shown_to_the_last_checkpoint_only(made):
    named = ask(networks(), made, "mood", "validation", VIEWS).named
    assert (named[:, 0, 2] == UNKNOWN).all()
    assert (named[:, :, :2] != UNKNOWN).all()
    assert (named[:, 1, 2] != UNKNOWN).all()


def test_a_network_that_is_the_same_upside_down_answers_the_same_both_ways(made):
    """Kernels equal to their own mirror image; an odd size, where strides keep the symmetry."""
    nets = networks(seeds=1)
    for net, _ in nets[0]:
        for module in net.trunk.modules():
            if hasattr(module, "weight") and module.weight is not None and module.weight.ndim == 4:
                module.weight.data = (module.weight + module.weight.flip(2)) / 2
    pixels = np.random.default_rng(1).integers(256, size=(12, 33, 33, 3), dtype=np.uint8)
    path = made.path.with_name("odd.h5")
    kinds, levels = made.kinds, made.levels
    stimuli.write(path, [pixels], made.factors, kinds, levels)
    found = ask(nets, stimuli.read(path), "identity", "holdout", VIEWS)
    assert np.array_equal(found.named[:, :, 0], found.named[:, :, 1])


def test_a_joined_classifier_may_name_what_belongs_to_another_task(made):
    nets = networks(joined=True)
    assert catalogue(*nets[0][0], "mood") == (("4", "7", "glad", "sad"), slice(2, 4))
    found = ask(nets, made, "mood", "holdout", VIEWS)
    assert set(found.truth) == {2, 3}
    assert found.classes == ("4", "7", "glad", "sad")
    assert found.own == slice(2, 4)


def test_a_word_painted_on_a_face_is_a_question_like_any_other(made, tmp_path):
    """The control that shows the same images and asks about something else."""
    painted = {"within": "identity", "words": ("boat", "drum"), "letter_size": (0.3, 0.4)}
    words = Words(path=str(made.path.parent), colour=(0, 255), **painted)
    paint(tmp_path / "words.h5", words, seed=0)
    shown = stimuli.read(tmp_path / "words.h5")
    spec = NetworkSpec(
        trunk="resnet6_thin",
        tasks={"word": specify("categorical", np.array([0, 1]), 1.0)},
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
    )
    facts = {"epoch": 0.0, "classes": {"word": ["boat", "drum"]}}
    found = ask({0: [(build(spec, seed=0).eval(), facts)]}, shown, "word", "holdout", VIEWS)
    wanted = shown.factors.loc[shown.factors["split"] == "holdout", "word"].astype(str)
    assert [found.classes[code] for code in found.truth] == wanted.to_list()
    assert set(found.named.ravel()) <= {0, 1}


def test_answers_are_kept_image_by_image(made, tmp_path):
    found = ask(networks(), made, "identity", "holdout", VIEWS)
    keep(tmp_path / "answers.h5", found)
    with h5py.File(tmp_path / "answers.h5") as file:
        assert np.array_equal(file["named"][:], found.named)
        assert np.array_equal(file["rank"][:], found.rank, equal_nan=True)
        assert file["own"][:].tolist() == [0, 2]
        assert file["view"].asstr()[:].tolist() == list(VIEWS)
