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
import torch
from facelab_data import stimuli, views
from facelab_models import checkpoints
from facelab_models.evaluation import predict
from facelab_models.network import FaceNet
from facelab_probing.intervals import mean_over_identities, onset, paired_differences
from tqdm import tqdm

from projects import stage

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
    classes = tuple(first[0][1]["classes"][row.task])
    truth = code(made.factors[row.task], classes)
    rows = np.flatnonzero((made.factors["split"] == row.split) & (truth != UNKNOWN))
    if not len(rows):
        raise ValueError(f"no image of split '{row.split}' has one of the classes of {row.task}")
    shown = tuple(dict.fromkeys((views.UPRIGHT, config.inverted, *config.angles)))
    named = np.full((len(nets), len(first), len(shown), len(rows)), UNKNOWN, np.int32)
    device, done = stage.device(), 0
    with tqdm(total=len(rows), desc=f"showing {row.stimuli}", unit="image", delay=2) as bar:
        for ids, images in made.blocks(BLOCK, rows):
            here = slice(done, done + len(ids))
            for place, view in enumerate(shown):
                batch = tensor(views.show(images, view), device)
                every = slice(None) if view in shown[:2] else slice(-1, None)
                for seed, stored in zip(named, nets.values(), strict=True):
                    for cells, (net, _) in zip(seed[every], stored[every], strict=True):
                        answer = predict(net.to(device), [(batch, {})])[row.task]
                        cells[place, here] = answer.argmax(axis=1)
            done += len(ids)
            bar.update(len(ids))
    return Answers(
        named=named,
        epochs=np.array([facts["epoch"] for _, facts in first]),
        seeds=tuple(nets),
        views=shown,
        truth=truth[rows],
        identity=made.factors["identity"].to_numpy()[rows],
        classes=classes,
    )


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


def code(column: pd.Series, classes: tuple[str, ...]) -> np.ndarray:
    """Give each image the number of its class, −1 for none that the network knows."""
    return pd.Index(classes).get_indexer(column.astype(str)).astype(np.int64)


def tensor(images: np.ndarray, device: torch.device) -> torch.Tensor:
    """Turn images (n, H, W, C) uint8 into what a network takes, (n, C, H, W) in [0, 1]."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(255)


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
