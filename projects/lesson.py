"""One training of a row of the table of networks, in whatever process it runs.

What is to be known elsewhere is told (`facelab_data.processes.tell`): curves for the tracked run,
an account of the weights that training began from, and how far it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from facelab_data.processes import tell
from facelab_models import checkpoints, distributed, weights
from facelab_models.batches import Batch, Batches
from facelab_models.evaluation import evaluate
from facelab_models.network import FaceNet, NetworkSpec, build
from facelab_models.tasks import join
from facelab_models.training import fit

from projects import hardware
from projects.history import History, is_enough
from projects.material import Material, deal, describe
from projects.networks import Network


@dataclass(frozen=True, eq=False, kw_only=True)
class Lesson:
    """What a training of a row needs, in whatever process it runs.

    Attributes
    ----------
    row, material : Network, Material
    weights : Path, optional
        What to begin with.
    scratch, artifacts : Path
        Where to keep the state, and the networks.
    seed : int
        The stage's.
    leads : bool
        Whether this process writes, scores and tells.
    """

    row: Network
    material: Material
    weights: Path | None
    scratch: Path
    artifacts: Path
    seed: int
    leads: bool


def train(lesson: Lesson, seed: int) -> tuple[int, pd.DataFrame]:
    """Train one network; take a killed training up where it was.

    Returns
    -------
    seed : int
    history : DataFrame
        Columns ``seed, epoch, split, task, measure, value``; of several processes the first's.
    """
    row = lesson.row
    net = begin(lesson, seed)
    dealt = deal(
        lesson.material,
        hardware.device(),
        batch_size=row.batch_size,
        augment=row.augment,
        shares=row.views,
        seed=int(np.random.SeedSequence([lesson.seed, seed]).generate_state(1)[0]),
        eyes=net.eyes,
    )
    state = lesson.scratch / f"seed-{seed}.state"
    before = distributed.from_first(_left_behind(lesson, seed, state)) or {}
    history = before.get("history", [])
    if is_enough(history, row.stop):
        return seed, pd.DataFrame(history)
    teacher = Counted(_teacher(dealt, lesson.material, row), seed, row)
    records = fit(net, teacher, row.fit, state=before.get("fit"), pause_s=row.save_every_s)
    for record in records:
        enough = False
        if lesson.leads:
            if record.is_checkpoint or record.is_epoch_end:
                history += score(net, dealt, seed, record.epoch, record.losses)
            enough = record.is_epoch_end and is_enough(history, row.stop)
            if record.is_checkpoint or enough:
                keep(lesson, net, seed, record.epoch)
            if record.is_epoch_end or record.step == 0:
                report(history, record.epoch)
            checkpoints.save_state(state, {"fit": record.state(), "history": history})
        if record.is_epoch_end and distributed.from_first(enough):
            break
    return seed, pd.DataFrame(history)


def begin(lesson: Lesson, seed: int) -> FaceNet:
    """Build the network of a row, with the weights it begins from."""
    row = lesson.row
    specs = describe(lesson.material, row.tasks)
    spec = NetworkSpec(
        trunk=row.trunk,
        tasks=join(specs) if row.classifier == "joined" else specs,
        mean=row.mean,
        std=row.std,
        branch=row.branch,
        size_px=row.size_px,
    )
    net = build(spec, seed=int(lesson.seed + seed))
    if lesson.weights:
        account = weights.load(net, lesson.weights, scale=row.weights_scale)
        if lesson.leads and seed == row.seeds[0]:
            tell(("account", f"{row.weights}: {account}"))
    return net.to(hardware.device())


def keep(lesson: Lesson, net: FaceNet, seed: int, epoch: float) -> None:
    """Write a checkpoint."""
    folder = lesson.artifacts / f"seed-{seed}"
    folder.mkdir(exist_ok=True)
    path = folder / f"epoch-{epoch:08.3f}.pt"
    checkpoints.save(path, net, epoch=epoch, classes=lesson.material.classes, seed=seed)


class Counted:
    """Batches that tell how many of them have been taken; called with an epoch, it deals them."""

    def __init__(self, batches: Batches, seed: int, row: Network) -> None:
        self.batches, self.seed = batches, seed
        self.total = len(row.seeds) * row.fit.epochs * len(batches)

    def __len__(self) -> int:
        return len(self.batches)

    def __call__(self, epoch: int) -> Iterator[Batch]:  # noqa: D102
        for place, batch in enumerate(self.batches(epoch), epoch * len(self.batches)):
            tell(("step", self.seed, place, self.total))
            yield batch


def score(
    net: FaceNet, dealt: dict[str, Batches], seed: int, epoch: float, losses: dict[str, float]
) -> History:
    """Score a network on the images it does not learn from; a row per measurement."""
    found = [("training", task, "loss", value) for task, value in losses.items()]
    for split, batches in dealt.items():
        for task, measures in ({} if split == "training" else evaluate(net, batches)).items():
            found += [(split, task, measure, value) for measure, value in measures.items()]
    return [
        {"seed": seed, "epoch": epoch, "split": split, "task": task, "measure": m, "value": value}
        for split, task, m, value in found
    ]


def report(history: History, epoch: float) -> None:
    """Tell this epoch's measurements."""
    points = [
        (f"{r['task']}_by_seed/{r['split']}_{r['measure']}_{r['seed']}", round(epoch), r["value"])
        for r in history
        if r["epoch"] == epoch
    ]
    tell(("curves", points))


def _left_behind(lesson: Lesson, seed: int, state: Path) -> dict | None:
    """Read what a killed training left, and remove what it was in the middle of writing."""
    if not lesson.leads:
        return None
    for part in lesson.artifacts.glob(f"seed-{seed}/*.part"):
        part.unlink()
    return checkpoints.load_state(state) if state.exists() else None


def _teacher(dealt: dict[str, Batches], material: Material, row: Network) -> Batches:
    """Give the batches to learn from; a network that learns nothing may look at any."""
    if row.fit.epochs and "training" not in dealt:
        tasks = ", ".join(row.tasks)
        raise ValueError(f"{material.made.path} has no training images with a label for {tasks}")
    return dealt.get("training", next(iter(dealt.values())))
