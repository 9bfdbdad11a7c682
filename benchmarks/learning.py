"""A small network learns to tell 100 drawn people apart, within three processor minutes.

The faces vary half as much as those of the experiments: they nod, turn and tilt, move, are lit
from elsewhere, change expression and background. Drawing them is not counted.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from facelab_data import faces, stimuli
from facelab_data.appearance import ALBEDO
from facelab_data.factors import FACTORS, Design, sample
from facelab_data.production import produce
from facelab_data.shards import Pen
from facelab_data.splits import Splits
from facelab_models.augmentation import STILL
from facelab_models.batches import Batches
from facelab_models.evaluation import evaluate
from facelab_models.network import NetworkSpec, build
from facelab_models.tasks import specify
from facelab_models.training import fit

from benchmarks.table import Row
from benchmarks.timing import cpu_seconds
from benchmarks.training import CONFIG

MODEL = Path(faces.__file__).parent / "assets" / "face.npz"
BUDGET_S, ACCURACY = 180, 0.98


@dataclass(frozen=True, kw_only=True)
class Size:
    """People, images of each to learn from and to be asked about, and how long to learn."""

    identities: int
    training: int
    held_out: int
    px: int
    epochs: int


FULL = Size(identities=100, training=120, held_out=30, px=64, epochs=5)
TOY = Size(identities=3, training=6, held_out=2, px=32, epochs=1)


def measure(size: Size) -> list[Row]:
    """Draw, learn, and ask who is on the images held out."""
    with tempfile.TemporaryDirectory() as folder:
        made = _faces(size, Path(folder))
        dealt = {split: _deal(made, split) for split in ("training", "holdout")}
    targets = dealt["training"].targets["identity"].numpy()
    spec = NetworkSpec(
        trunk="resnet6_thin",
        tasks={"identity": specify("categorical", targets, 1.0)},
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )
    net, start = build(spec, seed=0), cpu_seconds()
    for _ in fit(net, dealt["training"], replace(CONFIG, epochs=size.epochs, lr=0.02)):
        pass
    spent = cpu_seconds() - start
    accuracy = evaluate(net, dealt["holdout"])["identity"]["accuracy"]
    people = f"{size.identities} identities × {size.training} images of {size.px} px"
    return [
        Row(
            job="learn identities, resnet6_thin",
            size=f"{people}, {size.epochs} epochs; {size.held_out} held out of each",
            facelab=f"{100 * accuracy:.2f} % in {spent:.0f} s",
            target=f"≥ {100 * ACCURACY:.0f} % in {BUDGET_S} s",
            met=accuracy >= ACCURACY and spent <= BUDGET_S,
        )
    ]


def design(identities: int, images: int, holdout: float) -> Design:
    """Describe people who move, are lit and express half as much as in the experiments."""
    return Design(
        identities=identities,
        images_per_identity=images,
        genders=FACTORS["gender"].values,
        ethnicities=FACTORS["ethnicity"].values,
        expressions=FACTORS["expression"].values,
        ages_years=(18.0, 70.0),
        shape_sd=1.5,
        albedo_sd=0.2,
        rotation_deg=(15.0, 22.5, 15.0),
        translation_mm=(12.5, 12.5, 12.5),
        light_deg=(30.0, 45.0),
        backgrounds=16,
        splits=Splits(training=1.0, validation=0.0, testing=0.0, holdout=holdout),
    )


def draw(path: Path, plan: Design, px: int, workers: int) -> None:
    """Draw a design to a stimulus set."""
    model = faces.open_model(MODEL)
    pen = Pen(open_model=faces.open_model, draw=faces.draw, model=MODEL, size_px=px, eyes=1, seed=0)
    factors = sample(plan, model.shape_names, ALBEDO, seed=0)
    produce(path, factors, pen, workers=workers, scratch=path.parent, shard_size=64)


def _faces(size: Size, folder: Path) -> stimuli.Stimuli:
    images = size.training + size.held_out
    path = folder / "faces.h5"
    draw(path, design(size.identities, images, size.held_out / images), size.px, workers=2)
    return stimuli.read(path)


def _deal(made: stimuli.Stimuli, split: str) -> Batches:
    rows = np.flatnonzero(made.factors["split"] == split)
    targets = {"identity": made.factors["identity"].to_numpy()[rows]}
    return Batches(made.images(rows), targets, batch_size=32, augment=STILL, seed=0, device="cpu")
