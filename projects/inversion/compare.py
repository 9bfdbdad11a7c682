"""Ask every checkpoint of a network the same question about upright and about inverted images.

Each image is read and turned once, and shown to all checkpoints of all training seeds. What is
compared is the accuracy within each identity, so intervals are over identities and seeds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from facelab_data import stimuli, views
from facelab_models import checkpoints
from facelab_models.augmentation import STILL
from facelab_models.batches import Batches
from facelab_models.evaluation import predict
from facelab_models.network import FaceNet
from facelab_probing.intervals import mean_over_identities, onset, paired_differences
from tqdm import tqdm

from projects import stage
from projects.material import pixels

BLOCK = 256
UNKNOWN = -1


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A row of ``inversion.comparisons`` in params.yaml.

    Attributes
    ----------
    network, stimuli : str
        Rows of ``networks`` and ``stimuli``.
    task : str
        What the network is asked; categorical.
    split : str
        Whose images: ``holdout``, images of people it knows, for identity.
    """

    network: str
    stimuli: str
    task: str
    split: str


@dataclass(frozen=True, kw_only=True)
class Config:
    """Section ``inversion.compare`` of params.yaml.

    Attributes
    ----------
    inverted : str
        The view that is held against upright at every checkpoint.
    angles : tuple of str
        More views, for the last checkpoint.
    """

    inverted: str
    angles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What networks said, image by image.

    Axes: S seeds, E checkpoints, V views, N images.

    Attributes
    ----------
    named : int array, (S, E, V, N)
        The class each image was given; −1 where a view was not shown.
    epochs : array, (E,)
    seeds : tuple of int, (S,)
    views : tuple of str, (V,)
    truth : int array, (N,)
        The class each image has.
    identity : array, (N,)
    classes : tuple of str
        All that the task's head can name.
    """

    named: np.ndarray
    epochs: np.ndarray
    seeds: tuple[int, ...]
    views: tuple[str, ...]
    truth: np.ndarray
    identity: np.ndarray
    classes: tuple[str, ...]


def main(name: str) -> None:
    """Compare views for the row called `name`; write curves, the gap and its onset."""
    with stage.run("inversion-compare", name) as run:
        row = run.params(Comparison, f"inversion.comparisons.{name}")
        config = run.params(Config, "inversion.compare")
        made = stimuli.read(run.read(f"artifacts/draw/{row.stimuli}") / "stimuli.h5")
        nets = load(run.read(f"artifacts/train/{row.network}"), row.task)
        answers = ask(nets, made, row, config)
        keep(run.artifacts / "answers.h5", answers)
        tables = compare(answers, config.inverted)
        for title, table in tables.items():
            run.table(table.assign(network=name), f"{title}.csv")
        report(run, tables)


def load(folder: Path, task: str) -> dict[int, list[tuple[FaceNet, dict]]]:
    """Read every checkpoint of every training seed of a network.

    Raises
    ------
    ValueError
        When the network has no such task, or one that has no classes.
    """
    nets = {}
    for home in sorted(folder.glob("seed-*"), key=lambda path: int(path.name[5:])):
        nets[int(home.name[5:])] = [checkpoints.load(p) for p in sorted(home.glob("epoch-*.pt"))]
    classes = next(iter(nets.values()))[0][1]["classes"]
    if task not in classes:
        raise ValueError(f"{folder} has no classes for task '{task}'; it has {', '.join(classes)}")
    return nets


def ask(
    nets: Mapping[int, list[tuple[FaceNet, dict]]],
    made: stimuli.Stimuli,
    row: Comparison,
    config: Config,
) -> Answers:
    """Show the images of a split to every checkpoint, upright and inverted, angles to the last."""
    first = next(iter(nets.values()))
    classes, own = catalogue(*first[0], row.task)
    codes = pd.Index(classes[own]).get_indexer(made.factors[row.task].astype(str))
    rows = np.flatnonzero((made.factors["split"] == row.split) & (codes != UNKNOWN))
    if not len(rows):
        raise ValueError(f"no image of split '{row.split}' has one of the classes of {row.task}")
    shown = tuple(dict.fromkeys((views.UPRIGHT, config.inverted, *config.angles)))
    named = np.full((len(nets), len(first), len(shown), len(rows)), UNKNOWN, np.int32)
    with tqdm(total=len(rows), desc=f"showing {row.stimuli}", unit="image", delay=2) as bar:
        for start in range(0, len(rows), BLOCK):
            here = slice(start, start + BLOCK)
            images = pixels(made, rows[here], first[0][0].eyes)
            for place, view in enumerate(shown):
                # Angles are for the networks as they are in the end.
                every = slice(None) if view in shown[:2] else slice(-1, None)
                cells = named[:, every, place, here]
                answer(nets, every, views.show(images, view), row.task, cells)
            bar.update(len(images))
    return Answers(
        named=named,
        epochs=np.array([facts["epoch"] for _, facts in first]),
        seeds=tuple(nets),
        views=shown,
        truth=codes[rows] + own.start,
        identity=made.factors["identity"].to_numpy()[rows],
        classes=classes,
    )


def answer(
    nets: Mapping[int, list[tuple[FaceNet, dict]]],
    every: slice,
    images: np.ndarray,
    task: str,
    cells: np.ndarray,
) -> None:
    """Fill in which class each network gives each image: (S, checkpoints of `every`, n)."""
    device = stage.device()
    batches = Batches(images, {}, batch_size=BLOCK, augment=STILL, seed=0, device=device)
    for seed, stored in zip(cells, nets.values(), strict=True):
        for line, (net, _) in zip(seed, stored[every], strict=True):
            line[:] = predict(net.to(device), batches)[task].argmax(axis=1)


def compare(answers: Answers, inverted: str) -> dict[str, pd.DataFrame]:
    """Turn answers into tables.

    Returns
    -------
    tables : dict of DataFrame
        ``curves``: accuracy of each view at each epoch, for each seed and for all ("all", with
        an interval). ``gap``: upright less inverted at each epoch, paired within identities;
        its last row, ``growth``, is the gap at the end less that after a third of training.
        ``angles``: accuracy at the last epoch by view. ``classes``: by class, over seeds.
    """
    right = per_identity(answers)
    pair = [answers.views.index(view) for view in (views.UPRIGHT, inverted)]
    curves = [curve(right[:, :, place], answers, answers.views[place]) for place in pair]
    upright, turned = right[:, :, pair[0]], right[:, :, pair[1]]
    gap = paired_differences(upright, turned, seeds_are_paired=True)
    gap = gap.assign(epoch=answers.epochs, what="gap")
    third = int(np.abs(answers.epochs - answers.epochs[-1] / 3).argmin())
    differences = upright - turned
    growth = paired_differences(
        differences[:, -1:], differences[:, third : third + 1], seeds_are_paired=True
    ).assign(epoch=answers.epochs[-1], what="growth")
    at_end = mean_over_identities(right[:, -1]).assign(view=answers.views)
    at_end["angle_deg"] = [views.angle(view) for view in answers.views]
    return {
        "curves": pd.concat(curves, ignore_index=True),
        "gap": pd.concat([gap, growth], ignore_index=True),
        "angles": at_end,
        "classes": by_class(answers, pair),
    }


def per_identity(answers: Answers) -> np.ndarray:
    """Give the share of right answers within each identity, (S, E, V, G); NaN where not shown."""
    people, member = np.unique(answers.identity, return_inverse=True)
    right = (answers.named == answers.truth).astype(np.float64)
    sums = np.zeros((*right.shape[:3], len(people)))
    np.add.at(sums, (..., member), right)
    shares = sums / np.bincount(member)
    return np.where((answers.named == UNKNOWN).any(axis=-1, keepdims=True), np.nan, shares)


def curve(right: np.ndarray, answers: Answers, view: str) -> pd.DataFrame:
    """Tabulate accuracy (S, E, G) over epochs: a row per seed, and one for all."""
    parts = [mean_over_identities(right).assign(epoch=answers.epochs, seed="all")]
    for seed, values in zip(answers.seeds, right, strict=True):
        parts.append(
            pd.DataFrame({"mean": values.mean(axis=1), "epoch": answers.epochs, "seed": str(seed)})
        )
    return pd.concat(parts, ignore_index=True).drop(columns="p").assign(view=view)


def by_class(answers: Answers, pair: list[int]) -> pd.DataFrame:
    """Give the accuracy of each class in both views at the end, over seeds."""
    right = (answers.named[:, -1] == answers.truth).mean(axis=0)
    present = np.unique(answers.truth)
    table = {"class": [answers.classes[code] for code in present]}
    for place in pair:
        table[answers.views[place]] = [right[place][answers.truth == c].mean() for c in present]
    table["n"] = [int((answers.truth == code).sum()) for code in present]
    return pd.DataFrame(table)


def report(run: stage.Run, tables: Mapping[str, pd.DataFrame]) -> None:
    """Send the curves, the final gap and its onset to the run."""
    curves = tables["curves"][tables["curves"]["seed"] == "all"]
    gap = tables["gap"][tables["gap"]["what"] == "gap"].reset_index(drop=True)
    run.curves((f"accuracy/{r.view}", round(r.epoch), r.mean) for r in curves.itertuples())
    run.curves(("gap/accuracy", round(r.epoch), r.mean) for r in gap.itertuples())
    last = curves.groupby("view", sort=False)["mean"].last()
    run.log({f"final_accuracy/{view}": float(value) for view, value in last.items()})
    run.log({f"final_gap/{name}": float(gap[name].iloc[-1]) for name in ("mean", "low", "high")})
    found = onset(gap)
    if found is not None:
        run.log({"gap_onset/epoch": float(gap["epoch"].iloc[found])})


def catalogue(net: FaceNet, facts: dict, task: str) -> tuple[tuple[str, ...], slice]:
    """List the classes that a task's head can name, and say which are the task's own."""
    spec = net.spec.tasks[task]
    if not spec.head:
        return tuple(facts["classes"][task]), slice(0, spec.outputs)
    together = [name for name, other in net.spec.tasks.items() if other.head == spec.head]
    classes = tuple(each for name in together for each in facts["classes"][name])
    return classes, slice(spec.first, spec.first + spec.outputs)


def keep(path: Path, answers: Answers) -> None:
    """Store the answer to every image: seed × epoch × view × image."""
    with h5py.File(path, "w") as file:
        file["named"] = answers.named
        file["truth"], file["identity"] = answers.truth, answers.identity
        file["epoch"], file["seed"] = answers.epochs, np.array(answers.seeds)
        text = h5py.string_dtype()
        file.create_dataset("view", data=np.array(answers.views, dtype=object), dtype=text)
        file.create_dataset("class", data=np.array(answers.classes, dtype=object), dtype=text)


if __name__ == "__main__":
    stage.start(main)
