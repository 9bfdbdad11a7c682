"""Train one row of the table of networks, once for each of its seeds.

Networks learn from the images of the split ``training``. They are scored on ``holdout``,
other images of the same people, and on ``validation``, other people, where the task allows it.

Several processes, on one machine or more, train a row together when torchrun starts them::

    torchrun --nproc-per-node 2 -m projects.train identity
"""

import math
from functools import partial

import pandas as pd
import torch
from facelab_data import stimuli
from facelab_data.processes import spread
from facelab_models import distributed
from tqdm import tqdm

from projects import hardware, stage
from projects.history import mean_curves, summarise
from projects.lesson import Lesson, train
from projects.material import label, read_classes
from projects.networks import Network


def main(name: str) -> None:
    """Train the network called `name`; keep its checkpoints and its learning curves."""
    with stage.run("train", name, together=True) as run, distributed.together(hardware.device()):
        row = run.params(Network, f"networks.{name}")
        made = stimuli.read(run.read(f"artifacts/draw/{row.stimuli}") / "stimuli.h5")
        lists = {
            task: read_classes(run.read(wanted.classes))
            for task, wanted in row.tasks.items()
            if wanted.classes
        }
        lesson = Lesson(
            row=row,
            material=label(made, row.tasks, lists),
            weights=run.read(row.weights) if row.weights else None,
            scratch=run.scratch,
            artifacts=run.artifacts,
            seed=run.seed,
            leads=run.leads,
        )
        trained = teach(run, lesson)
        if run.leads:
            history = pd.concat([trained[seed] for seed in row.seeds])
            run.table(history, "history.csv")
            run.curves(mean_curves(history))
            run.log(summarise(history), step=round(history["epoch"].max()))


def teach(run: stage.Run, lesson: Lesson) -> dict[int, pd.DataFrame]:
    """Train a network for each seed, several at a time where processors are free for it."""
    seeds = lesson.row.seeds
    workers = side_by_side(len(seeds))
    with tqdm(desc="training", unit="batch", delay=2, disable=workers == 1) as bar:
        hear = partial(_report, run, bar, {})
        jobs = ((lesson, seed) for seed in seeds)
        return dict(spread(train, jobs, workers, threads=hardware.threads(), hear=hear))


def side_by_side(trainings: int) -> int:
    """Say how many trainings run at the same time: in as many rounds as fill the processors.

    On a graphics card, and where torchrun has started several processes for one training, they
    run one after the other.
    """
    processors = hardware.processors()
    if torch.distributed.is_torchelastic_launched() or processors == 1:
        return 1
    return math.ceil(trainings / max(trainings // processors, 1))


def _report(run: stage.Run, bar: tqdm, steps: dict[int, int], word: tuple) -> None:
    """Pass on what a training tells: curves, an account for the run's page, how far it is."""
    match word:
        case ("curves", points):
            run.curves(points)
        case ("account", text):
            run.describe(text)
        case ("step", seed, step, total):
            steps[seed] = step
            bar.total = total
            bar.update(sum(steps.values()) - bar.n)


if __name__ == "__main__":
    stage.start(main)
