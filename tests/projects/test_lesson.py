from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from facelab_data import processes, stimuli
from facelab_data.processes import spread
from facelab_models.augmentation import STILL
from facelab_models.stopping import Stop
from facelab_models.training import FitConfig

from projects.lesson import Lesson, train
from projects.material import Task, label
from projects.networks import Network

FIT = FitConfig(
    trained="all",
    epochs=3,
    optimizer="sgd",
    lr=0.01,
    momentum=0.9,
    weight_decay=0.0,
    schedule="constant",
    warmup=0.0,
    drop=0.1,
    drop_epochs=1,
    label_smoothing=0.0,
    checkpoints=(0.0, 0.5, 3.0),
)


@pytest.fixture
def lesson(tmp_path, rng):
    """Give a maker of lessons on 24 images of two persons, a third of them held out."""
    factors = pd.DataFrame({"identity": np.arange(24) % 2, "split": ["training"] * 24})
    factors.loc[::3, "split"] = "holdout"
    images = rng.integers(256, size=(24, 16, 16, 3), dtype=np.uint8)
    kinds, levels = {"identity": "categorical"}, {"identity": "identity"}
    stimuli.write(tmp_path / "stimuli.h5", [images], factors, kinds, levels)
    tasks = {"identity": Task(kind="categorical", weight=1.0, classes="")}

    def make(stop=None):
        row = Network(
            stimuli="faces",
            trunk="resnet6_thin",
            weights="",
            weights_scale=1.0,
            branch="",
            size_px=0,
            tasks=tasks,
            classifier="separate",
            seeds=(0, 1),
            mean=(0.5,) * 3,
            std=(0.25,) * 3,
            views={"upright": 1.0},
            batch_size=4,
            augment=STILL,
            fit=FIT,
            stop=stop,
            save_every_s=300.0,
        )
        return Lesson(
            row=row,
            material=label(stimuli.read(tmp_path / "stimuli.h5"), tasks, {}),
            weights=None,
            scratch=tmp_path,
            artifacts=tmp_path,
            seed=5,
            leads=True,
        )

    return make


def test_a_training_tells_its_curves_and_how_far_it_is(lesson):
    told = []
    ((_, history),) = spread(train, [(lesson(), 1)], 1, hear=told.append)
    steps = [word[1:] for word in told if word[0] == "step"]
    assert steps == [(1, step, 24) for step in range(12)]  # of 12, and as many of the other seed
    curves = [point for word in told if word[0] == "curves" for point in word[1]]
    names = {name for name, _, _ in curves}
    assert names == {
        "identity_by_seed/training_loss_1",
        "identity_by_seed/holdout_loss_1",
        "identity_by_seed/holdout_accuracy_1",
    }
    assert {epoch for _, epoch, _ in curves} == {0, 1, 2, 3}
    last = history[(history["epoch"] == 3) & (history["measure"] == "accuracy")]["value"].item()
    assert ("identity_by_seed/holdout_accuracy_1", 3, last) in curves


def test_networks_are_kept_when_they_should_be(lesson, tmp_path):
    train(lesson(), 0)
    kept = sorted(path.name for path in (tmp_path / "seed-0").iterdir())
    assert kept == ["epoch-0000.000.pt", "epoch-0000.500.pt", "epoch-0003.000.pt"]


def test_what_a_killed_process_was_writing_is_removed(lesson, tmp_path):
    (tmp_path / "seed-0").mkdir()
    (tmp_path / "seed-0" / "epoch-0000.500.pt.7.part").touch()
    train(lesson(), 0)
    assert not list(tmp_path.rglob("*.part"))


def test_a_training_that_has_ended_is_not_begun_again(lesson, monkeypatch):
    made = lesson(Stop(metric="identity/training_loss", at=1000.0, patience_epochs=None))
    (_, first), told = train(made, 0), []
    assert first["epoch"].max() == 1
    monkeypatch.setattr(processes, "_HEARERS", [told.append])
    pd.testing.assert_frame_equal(train(made, 0)[1], first)
    assert not told


def test_a_process_that_only_helps_keeps_and_tells_nothing(lesson, tmp_path):
    told = []
    found = dict(spread(train, [(replace(lesson(), leads=False), 1)], 1, hear=told.append))
    assert list(found) == [1]
    assert found[1].empty
    assert {word[0] for word in told} == {"step"}
    assert not (tmp_path / "seed-1").exists()
