"""Train one row of the table of networks, once for each of its seeds.

Networks learn from the images of the split ``training``. They are scored on ``holdout``,
other images of the same people, and on ``validation``, other people, where the task allows it.

Several processes, on one machine or more, train a row together when torchrun starts them::

    torchrun --nproc-per-node 2 -m projects.train identity
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from facelab_data import stimuli
from facelab_models import checkpoints, distributed, weights
from facelab_models.augmentation import Augment
from facelab_models.batches import Batches
from facelab_models.evaluation import evaluate
from facelab_models.network import FaceNet, NetworkSpec, build
from facelab_models.stopping import Stop
from facelab_models.tasks import join
from facelab_models.training import FitConfig, fit

from projects import stage
from projects.history import History, is_enough, mean_curves, summarise
from projects.material import Material, Task, deal, describe, label, read_classes

CLASSIFIERS = ("separate", "joined")


@dataclass(frozen=True, kw_only=True)
class Network:
    """A row of ``networks`` in params.yaml.

    Attributes
    ----------
    stimuli : str
        A row of ``stimuli``.
    trunk : str
        A key of `facelab_models.network.TRUNKS`, torchvision:name or module:function.
    weights : str
        A file of weights to begin with, see `facelab_models.weights`; "" begins from nothing. It is
        known by its name: give another file another name.
    weights_scale : float
        By which the activations of a network that begins from weights are divided, see
        `facelab_models.scaling`: 1, or about 58 if they were learned from pixels of 0 … 255.
    branch : str
        Layer of the trunk after which each task has a copy of the rest; "" for none.
    size_px : int
        To which the network resizes its images; 0 takes them as they come.
    tasks : dict of str to Task
        Factors to learn.
    classifier : str
        ``separate`` gives each task a head; ``joined`` gives the categorical ones a single
        classifier over all their classes.
    seeds : tuple of int
        One training for each.
    mean, std : tuple of float, (3,)
        With which the network normalises its input.
    views : dict of str to float
        How images are shown, and the share of each view.
    batch_size : int
        Over all processes.
    stop : Stop or None
        When to end before the last epoch.
    save_every_s : float
        Seconds of training that a kill may cost, at most (and two epochs' ends).
    """

    stimuli: str
    trunk: str
    weights: str
    weights_scale: float
    branch: str
    size_px: int
    tasks: dict[str, Task]
    classifier: str
    seeds: tuple[int, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    views: dict[str, float]
    batch_size: int
    augment: Augment
    fit: FitConfig
    stop: Stop | None
    save_every_s: float

    def __post_init__(self) -> None:
        if self.classifier not in CLASSIFIERS:
            choices = ", ".join(CLASSIFIERS)
            raise ValueError(f"unknown classifier '{self.classifier}'; choose from {choices}")
        if not self.seeds:
            raise ValueError("a network needs at least one seed")
        if not 0 < self.weights_scale < math.inf:
            raise ValueError(f"weights_scale is above 0, not {self.weights_scale}")
        if self.batch_size < 1:
            raise ValueError(f"batch_size is 1 or more, not {self.batch_size}")


def main(name: str) -> None:
    """Train the network called `name`; keep its checkpoints and its learning curves."""
    with stage.run("train", name, together=True) as run, distributed.together(stage.device()):
        row = run.params(Network, f"networks.{name}")
        made = stimuli.read(run.read(f"artifacts/draw/{row.stimuli}") / "stimuli.h5")
        lists = {
            task: read_classes(run.read(wanted.classes))
            for task, wanted in row.tasks.items()
            if wanted.classes
        }
        material = label(made, row.tasks, lists)
        history = pd.concat([train(run, row, seed, material) for seed in row.seeds])
        if run.leads:
            run.table(history, "history.csv")
            run.curves(mean_curves(history))
            run.log(summarise(history), step=round(history["epoch"].max()))


def train(run: stage.Run, row: Network, seed: int, material: Material) -> pd.DataFrame:
    """Train one network; take a killed training up where it was.

    Returns
    -------
    history : DataFrame
        Columns ``seed, epoch, split, task, measure, value``; of several processes the first's.
    """
    net = begin(run, row, seed, material)
    dealt = deal(
        material,
        stage.device(),
        batch_size=row.batch_size,
        augment=row.augment,
        shares=row.views,
        seed=int(np.random.SeedSequence([run.seed, seed]).generate_state(1)[0]),
        eyes=net.eyes,
    )
    state = run.scratch / f"seed-{seed}.state"
    resumes = run.leads and state.exists()
    before = distributed.from_first(checkpoints.load_state(state) if resumes else None) or {}
    history = before.get("history", [])
    if is_enough(history, row.stop):
        return pd.DataFrame(history)
    teacher = _teacher(dealt, material, row)
    records = fit(net, teacher, row.fit, state=before.get("fit"), pause_s=row.save_every_s)
    for record in records:
        enough = False
        if run.leads:
            if record.is_checkpoint or record.is_epoch_end:
                history += score(net, dealt, seed, record.epoch, record.losses)
            enough = record.is_epoch_end and is_enough(history, row.stop)
            if record.is_checkpoint or enough:
                keep(run, net, seed, record.epoch, material.classes)
            if record.is_epoch_end or record.step == 0:
                report(run, history, record.epoch)
            checkpoints.save_state(state, {"fit": record.state(), "history": history})
        if record.is_epoch_end and distributed.from_first(enough):
            break
    return pd.DataFrame(history)


def begin(run: stage.Run, row: Network, seed: int, material: Material) -> FaceNet:
    """Build the network of a row, with the weights it begins from."""
    specs = describe(material, row.tasks)
    spec = NetworkSpec(
        trunk=row.trunk,
        tasks=join(specs) if row.classifier == "joined" else specs,
        mean=row.mean,
        std=row.std,
        branch=row.branch,
        size_px=row.size_px,
    )
    net = build(spec, seed=int(run.seed + seed))
    if row.weights:
        account = weights.load(net, run.read(row.weights), scale=row.weights_scale)
        if run.leads and seed == row.seeds[0]:
            run.describe(f"{row.weights}: {account}")
    return net.to(stage.device())


def keep(
    run: stage.Run, net: FaceNet, seed: int, epoch: float, classes: dict[str, list[str]]
) -> None:
    """Write a checkpoint."""
    folder = run.artifacts / f"seed-{seed}"
    folder.mkdir(exist_ok=True)
    path = folder / f"epoch-{epoch:08.3f}.pt"
    checkpoints.save(path, net, epoch=epoch, classes=classes, seed=seed)


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


def report(run: stage.Run, history: History, epoch: float) -> None:
    """Send this epoch's measurements to the run, a curve per seed."""
    now = [row for row in history if row["epoch"] == epoch]
    run.curves(
        (f"{r['task']}_by_seed/{r['split']}_{r['measure']}_{r['seed']}", round(epoch), r["value"])
        for r in now
        if r["seed"] == now[-1]["seed"]
    )


def _teacher(dealt: dict[str, Batches], material: Material, row: Network) -> Batches:
    """Give the batches to learn from; a network that learns nothing may look at any."""
    if row.fit.epochs and "training" not in dealt:
        tasks = ", ".join(row.tasks)
        raise ValueError(f"{material.made.path} has no training images with a label for {tasks}")
    return dealt.get("training", next(iter(dealt.values())))


if __name__ == "__main__":
    stage.start(main)
