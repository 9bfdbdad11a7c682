"""What it costs to ask a network about faces upside down as well, where it is asked upright.

Another orientation is another pass through the network: nothing that is exact spares it. What can
be spared is another reading of the images, so each is read once and turned in memory. Beside the
epoch of training that comes before it the second pass is small.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from facelab_data import stimuli, views
from facelab_models.augmentation import STILL
from facelab_models.batches import Batches
from facelab_models.evaluation import predict
from facelab_models.kinds import TaskSpec
from facelab_models.network import FaceNet, NetworkSpec, build
from facelab_models.training import fit

from benchmarks.table import Row
from benchmarks.timing import compare, spread, take_turns
from benchmarks.training import CONFIG

TRAIN, ALONE, BOTH, TWICE = "train", "upright alone", "both, read once", "both, read twice"
ORIENTATIONS = (views.UPRIGHT, views.FLIP)
LIMIT = 1.10


@dataclass(frozen=True, kw_only=True)
class Size:
    """People, and images of each: to learn from, and held out."""

    people: int
    taught: int
    held_out: int
    px: int
    repeats: int


FULL = Size(people=144, taught=28, held_out=4, px=64, repeats=5)
TOY = Size(people=6, taught=4, held_out=2, px=16, repeats=1)


def measure(size: Size) -> list[Row]:
    """Time the evaluation of held-out images, alone and with the epoch of training before it."""
    net, lessons = _network(size), _lessons(size)
    with tempfile.TemporaryDirectory() as folder:
        made = _held_out(size, Path(folder) / "stimuli.h5")
        jobs = {
            TRAIN: lambda: list(fit(net, lessons, replace(CONFIG, epochs=1))),
            ALONE: lambda: _ask(net, made, ORIENTATIONS[:1]),
            BOTH: lambda: _ask(net, made, ORIENTATIONS),
            TWICE: lambda: [_ask(net, made, [view]) for view in ORIENTATIONS],
        }
        seconds = take_turns(jobs, size.repeats)
        once, twice = jobs[BOTH](), np.concatenate(jobs[TWICE]())
    trained = seconds.pop(TRAIN)
    whole = {name: trained + spent for name, spent in seconds.items()}
    told = f"resnet6_thin, {size.people * size.held_out} images of {size.px} px"
    over = spread(whole[BOTH] / whole[ALONE]).median
    target = {"target": f"facelab ≤ {LIMIT:.2f}×, is {over:.3f}×", "met": over <= LIMIT}
    taught = f"{told}; training on {size.people * size.taught}"
    agreement = f"answers ≤ {np.abs(once - twice).max():.0e}"
    return [
        _row("train an epoch, then evaluate", taught, whole, ALONE, **target),
        _row("evaluate", told, seconds, ALONE),
        _row("evaluate", told, seconds, TWICE, agreement=agreement),
    ]


def _row(job: str, size: str, seconds: dict[str, np.ndarray], peer: str, **more: object) -> Row:
    return Row(
        job=f"{job}: {BOTH}",
        size=size,
        facelab=f"{np.median(seconds[BOTH]):.2f} s",
        peer=peer,
        theirs=f"{np.median(seconds[peer]):.2f} s",
        ratio=compare(seconds[peer], seconds[BOTH]),
        **more,
    )


def _ask(net: FaceNet, made: stimuli.Stimuli, shown: Sequence[str]) -> np.ndarray:
    """Read the images once and show them in each view; (V · N, classes)."""
    images = made.images(np.arange(len(made.factors)), made.eyes[0])
    settings = {"batch_size": 256, "augment": STILL, "seed": 0, "device": "cpu"}
    dealt = [Batches(views.show(images, view), {}, **settings) for view in shown]
    return np.concatenate([predict(net, batches)["identity"] for batches in dealt])


def _held_out(size: Size, path: Path) -> stimuli.Stimuli:
    identity = np.repeat(np.arange(size.people), size.held_out)
    factors = pd.DataFrame({"identity": identity, "split": "holdout"})
    images = _noise(len(identity), size.px, seed=1)
    stimuli.write(path, [images], factors, {"identity": "categorical"}, {"identity": "identity"})
    return stimuli.read(path)


def _lessons(size: Size) -> Batches:
    identity = np.repeat(np.arange(size.people), size.taught)
    augment = replace(STILL, shift=0.06, zoom=0.08, brightness=0.1, contrast=0.15)
    settings = {"batch_size": 32, "augment": augment, "seed": 0, "device": "cpu"}
    return Batches(_noise(len(identity), size.px, seed=0), {"identity": identity}, **settings)


def _network(size: Size) -> FaceNet:
    task = TaskSpec(kind="categorical", outputs=size.people, weight=1.0)
    spec = NetworkSpec(
        trunk="resnet6_thin", tasks={"identity": task}, mean=(0.5,) * 3, std=(0.25,) * 3
    )
    return build(spec, seed=0)


def _noise(count: int, px: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, px, px, 3), np.uint8)
