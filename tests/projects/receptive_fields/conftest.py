"""A small network of known fields, the images it looks at, and a stage to measure it in."""

import numpy as np
import pandas as pd
import pytest
import torch
from facelab_data import stimuli
from facelab_models import checkpoints
from facelab_models.network import NetworkSpec, build
from facelab_models.tasks import specify
from facelab_probing.occluders import Occluder

from projects import hardware, stage
from projects.receptive_fields.map import Row
from projects.receptive_fields.viewers import Viewer

LAYERS = {"trunk.conv1": "conv1", "trunk.block1.conv": "conv2"}


def plain_row(**values):
    occluder = {"size_px": 1, "stride_px": 1, "filling": "black", "grid": "floor"}
    usual = {
        "network": "net",
        "stimuli": "faces",
        "splits": ("holdout",),
        "checkpoints": ("last",),
        "layers": LAYERS,
        "top": 3,
        "units": 2,
        "occluder": Occluder(**occluder, reduction="at_maximum"),
        "coarse": None,
        "fraction": 0.5,
        "thumbnail_px": 12,
    }
    return Row(**(usual | values))


@pytest.fixture
def made(tmp_path, rng):
    """Draw 12 images of 24 px, each with a white square; of two persons and of a third."""
    factors = pd.DataFrame(
        {
            "identity": np.repeat([4, 7, 9], 4),
            "split": ["training", "holdout", "holdout", "holdout"] * 3,
        }
    )
    kinds, levels = {"identity": "categorical"}, {"identity": "identity"}
    images = rng.integers(120, size=(12, 24, 24, 3), dtype=np.uint8)
    for image, (row, column) in zip(images, rng.integers(5, 9, (12, 2)), strict=True):
        image[row : row + 9, column : column + 9] = 255
    stimuli.write(tmp_path / "stimuli.h5", [images], factors, kinds, levels)
    return stimuli.read(tmp_path / "stimuli.h5")


@pytest.fixture(autouse=True)
def one_processor(monkeypatch):
    """Let tests change a network, or what is asked of it, in the process where they run."""
    monkeypatch.setattr(hardware, "processors", lambda _: 1)


@pytest.fixture
def viewer(made, tmp_path):
    """Look with a network whose first units weigh 3 × 3 of the 7 × 7 pixels they could."""
    spec = NetworkSpec(
        trunk="resnet6_thin",
        tasks={"identity": specify("categorical", np.array([0, 1]), 1.0)},
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
    )
    net = build(spec, seed=0).eval()
    with torch.no_grad():
        net.trunk.conv1.weight.zero_()
        net.trunk.conv1.weight[:, :, 2:5, 2:5] = 1
    facts = {"seed": 0, "epoch": 5.0, "classes": {"identity": ["4", "7"]}}
    rows = np.flatnonzero(made.factors["split"] == "holdout")
    path = tmp_path / "net.pt"
    checkpoints.save(path, net, **facts)
    return Viewer(path=path, net=net, facts=facts, made=made, rows=rows, weights="")


@pytest.fixture
def run(tmp_path):
    return start(tmp_path / "run")


def start(folder):
    for name in ("artifacts", "results"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folders = folder / "artifacts", folder / "results"
    return stage.Run("receptive_fields-map", "net", 3, folder, *folders)
