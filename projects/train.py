"""Train one row of the table of networks, once for each of its seeds.

Networks learn from the images of the split ``training``. They are scored on ``holdout``,
other images of the same people, and on ``validation``, other people, where the task allows it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from facelab_data import stimuli
from facelab_models import checkpoints
from facelab_models.batches import Augment, Batches
from facelab_models.evaluation import evaluate
from facelab_models.network import FaceNet, NetworkSpec, build
from facelab_models.tasks import MISSING, specify
from facelab_models.training import FitConfig, fit

from projects import stage

STILL = Augment(shift=0, zoom=0, flip=0, grey=0, brightness=0, contrast=0)
KEYS = ["split", "task", "measure"]
Targets = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A row of ``networks`` in params.yaml.

    Attributes
    ----------
    stimuli : str
        A row of ``stimuli``.
    trunk : str
        A key of `facelab_models.network.TRUNKS`.
    tasks : dict of str to float
        Factors to learn, and the weight of each in the loss.
    seeds : tuple of int
        One training for each.
    mean, std : tuple of float, (3,)
        With which the network normalises its input.
    """

    stimuli: str
    trunk: str
    tasks: dict[str, float]
    seeds: tuple[int, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    batch_size: int
    augment: Augment
    fit: FitConfig


def main(name: str) -> None:
    """Train the network called `name`; keep its checkpoints and its learning curves."""
    with stage.run("train", name) as run:
        row = run.params(Network, f"networks.{name}")
        made = stimuli.read(run.read(f"artifacts/draw/{row.stimuli}") / "stimuli.h5")
        targets, classes = label(made, tuple(row.tasks))
        tables = []
        for seed in row.seeds:
            tables.append(train(run, row, seed, (made, targets, classes)))
        history = pd.concat(tables, ignore_index=True)
        run.table(history, "history.csv")
        run.curves(mean_curves(history))
        last = history[history["epoch"] == history["epoch"].max()]
        for (split, task, measure), values in last.groupby(KEYS)["value"]:
            name = f"{split}_{measure}"
            run.log({f"{task}/{name}": values.mean()}, step=round(last["epoch"].max()))
            run.log({f"{task}_sd_over_seeds/{name}": values.std(ddof=0)})


def train(
    run: stage.Run, row: Network, seed: int, material: tuple[stimuli.Stimuli, Targets, dict]
) -> pd.DataFrame:
    """Train one network; take a killed training up where it was.

    Returns
    -------
    history : DataFrame
        Columns ``seed, epoch, split, task, measure, value``.
    """
    made, targets, classes = material
    folder, state = run.artifacts / f"seed-{seed}", run.scratch / f"seed-{seed}.state"
    folder.mkdir(exist_ok=True)
    dealt = deal(made, targets, row, np.random.SeedSequence([run.seed, seed]).generate_state(1)[0])
    net = build(spec(made, targets, row), seed=int(run.seed + seed)).to(run.device)
    before = checkpoints.load_state(state) if state.exists() else {"fit": None, "history": []}
    history = before["history"]
    for record in fit(net, dealt["training"], row.fit, state=before["fit"]):
        history += score(net, dealt, seed, record.epoch, record.losses)
        if record.is_checkpoint:
            path = folder / f"epoch-{record.epoch:08.3f}.pt"
            checkpoints.save(path, net, epoch=record.epoch, classes=classes, seed=seed)
        if record.is_epoch_end or record.step == 0:
            report(run, history, record.epoch)
        checkpoints.save_state(state, {"fit": record.state(), "history": history})
    return pd.DataFrame(history)


def label(made: stimuli.Stimuli, tasks: tuple[str, ...]) -> tuple[Targets, dict[str, list[str]]]:
    """Give each task's targets for all images, and the names of its classes.

    The classes of identity are the training identities: nobody else can be named.
    """
    targets, classes = {}, {}
    training = made.factors["split"] == "training"
    for task in tasks:
        if task not in made.kinds:
            raise ValueError(f"unknown task '{task}'; this set has {', '.join(made.kinds)}")
        values = made.factors[list(made.outputs[task])]
        if made.kinds[task] == "continuous":
            targets[task] = values.to_numpy(dtype=np.float32, copy=True)
            continue
        known = values[task][training if task == "identity" else slice(None)].dropna()
        names = sorted(known.unique())
        targets[task] = pd.Index(names).get_indexer(values[task]).astype(np.int64)
        classes[task] = [str(name) for name in names]
    return targets, classes


def spec(made: stimuli.Stimuli, targets: Targets, row: Network) -> NetworkSpec:
    """Describe the network of a row, with the scale of its targets in training."""
    rows = (made.factors["split"] == "training").to_numpy()
    tasks = {
        task: specify(made.kinds[task], targets[task][rows], weight)
        for task, weight in row.tasks.items()
    }
    return NetworkSpec(trunk=row.trunk, tasks=tasks, mean=row.mean, std=row.std)


def deal(made: stimuli.Stimuli, targets: Targets, row: Network, seed: int) -> dict[str, Batches]:
    """Hold the images of each split in memory, 8-bit, ready to be dealt."""
    dealt = {}
    for split in ("training", "holdout", "validation"):
        rows = np.flatnonzero(made.factors["split"] == split)
        if not len(rows):
            continue
        kept = {task: values[rows] for task, values in targets.items()}
        known = {task: values for task, values in kept.items() if (values != MISSING).any()}
        if known:
            dealt[split] = Batches(
                made.images(rows),
                known,
                batch_size=row.batch_size if split == "training" else 256,
                augment=row.augment if split == "training" else STILL,
                seed=int(seed),
                device=stage.device(),
            )
    if "training" not in dealt:
        raise ValueError(f"{made.path} has no training images with a label for {list(targets)}")
    return dealt


def score(
    net: FaceNet, dealt: dict[str, Batches], seed: int, epoch: float, losses: dict[str, float]
) -> list[dict[str, object]]:
    """Score a network on the images it does not learn from; a row per measurement."""
    found = [("training", task, "loss", value) for task, value in losses.items()]
    for split in ("holdout", "validation"):
        for task, measures in (evaluate(net, dealt[split]) if split in dealt else {}).items():
            found += [(split, task, measure, value) for measure, value in measures.items()]
    return [
        {"seed": seed, "epoch": epoch, "split": split, "task": task, "measure": m, "value": value}
        for split, task, m, value in found
    ]


def report(run: stage.Run, history: list[dict], epoch: float) -> None:
    """Send this epoch's measurements to the run, a curve per seed."""
    now = [row for row in history if row["epoch"] == epoch]
    run.curves(
        (f"{r['task']}_by_seed/{r['split']}_{r['measure']}_{r['seed']}", round(epoch), r["value"])
        for r in now
        if r["seed"] == now[-1]["seed"]
    )


def mean_curves(history: pd.DataFrame) -> list[tuple[str, int, float]]:
    """Give the mean over seeds of every measure after every epoch: metric, step, value."""
    whole = history[history["epoch"] % 1 == 0]
    means = whole.groupby([*KEYS, "epoch"])["value"].mean()
    return [(f"{t}/{s}_{m}", round(epoch), value) for (s, t, m, epoch), value in means.items()]


if __name__ == "__main__":
    stage.start(main)
