"""Small faces-to-be, networks and trainings for the tests of this package."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from facelab_models.augmentation import STILL
from facelab_models.batches import Batches
from facelab_models.kinds import TaskSpec
from facelab_models.network import NetworkSpec, build
from facelab_models.training import FitConfig

LIVELY = replace(
    STILL,
    crop_area=(0.5, 1.0),
    crop_aspect=(0.8, 1.25),
    shift=0.1,
    zoom=0.1,
    flip=0.5,
    grey=0.3,
    saturation=0.2,
    hue=0.05,
    brightness=0.1,
    contrast=0.2,
)
CLASSES = TaskSpec(kind="categorical", outputs=4, weight=1.0)
NUMBERS = TaskSpec(kind="continuous", outputs=2, weight=0.5, mean=(30.0, -2.0), sd=(10.0, 0.5))


def only(**changes):
    """Give an augmentation that does this and nothing else."""
    return replace(STILL, **changes)


@pytest.fixture(autouse=True)
def one_thread():
    """Compute as one thread: small convolutions lose time to more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def network():
    """Give a maker of thin networks for the tasks asked for."""

    def make(seed=0, **tasks):
        spec = NetworkSpec(
            trunk="resnet6_thin", tasks=tasks, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)
        )
        return build(spec, seed=seed)

    return make


@pytest.fixture
def net(network):
    return network(identity=CLASSES, pose=NUMBERS)


@pytest.fixture
def batches():
    """Give a maker of batches."""

    def make(images, augment=STILL, batch_size=8, seed=0, **targets):
        return Batches(
            images, targets, batch_size=batch_size, augment=augment, seed=seed, device="cpu"
        )

    return make


@pytest.fixture
def config():
    """Give a maker of training configurations."""

    def make(**changes):
        values = {
            "trained": "all",
            "epochs": 2,
            "optimizer": "adamw",
            "lr": 0.01,
            "momentum": 0.9,
            "weight_decay": 0.05,
            "schedule": "cosine",
            "warmup": 0.1,
            "drop": 0.1,
            "drop_epochs": 1,
            "label_smoothing": 0.1,
            "checkpoints": (),
        }
        return FitConfig(**{**values, **changes})

    return make


@pytest.fixture
def images(rng):
    """Draw 22 images of noise, 32 px."""
    return rng.integers(256, size=(22, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def labels(rng):
    return {"identity": np.arange(22) % 4, "pose": rng.normal((30, -2), 1, size=(22, 2))}
