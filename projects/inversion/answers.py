"""What networks say about images that are shown in several views.

Each image is read and turned once, and shown to all checkpoints of all training seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from facelab_data import stimuli, views
from facelab_models.augmentation import STILL
from facelab_models.batches import Batches
from facelab_models.evaluation import predict
from facelab_models.network import FaceNet
from facelab_probing import files
from tqdm import tqdm

from projects import hardware, stage, trained
from projects.material import pixels

BLOCK = 256
UNKNOWN = -1
Stored = Mapping[int, Sequence[tuple[FaceNet, dict]]]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What networks said, image by image.

    Axes: S seeds, E checkpoints, V views, N images.

    Attributes
    ----------
    named : int array, (S, E, V, N)
        The class each image was given; −1 where a view was not shown.
    rank : array, (S, E, V, N)
        The share of all other classes that were held less likely than the right one: 0.5 by
        chance, 1 where the answer is right; NaN where a view was not shown.
    epochs : array, (E,)
    seeds : tuple of int, (S,)
    views : tuple of str, (V,)
    truth : int array, (N,)
        The class each image has.
    identity : array, (N,)
    classes : tuple of str
        All that the task's head can name.
    own : slice
        Those of them that are the task's own; the others are those of a joined classifier.
    """

    named: np.ndarray
    rank: np.ndarray
    epochs: np.ndarray
    seeds: tuple[int, ...]
    views: tuple[str, ...]
    truth: np.ndarray
    identity: np.ndarray
    classes: tuple[str, ...]
    own: slice


def load(run: stage.Run, network: str, task: str) -> Stored:
    """Read every checkpoint of every training seed of a network, in the order of training.

    Raises
    ------
    ValueError
        When the network has no such task, or one that has no classes; when training seeds were
        not kept at the same epochs, as when some stopped early.
    """
    folder = run.read(f"artifacts/train/{network}")
    paths = {seed: sorted(home.glob("epoch-*.pt")) for seed, home in trained.seeds(folder).items()}
    trained.check_epochs(network, paths)
    nets = {
        seed: [trained.read(run, path, network) for path in kept] for seed, kept in paths.items()
    }
    classes = next(iter(nets.values()))[0][1]["classes"]
    if task not in classes:
        there = ", ".join(classes)
        raise ValueError(f"network '{network}' names no classes of '{task}'; it names {there}")
    if len(classes[task]) == 1:
        raise ValueError(f"network '{network}' knows one class of '{task}'; there is no other")
    return nets


def ask(
    nets: Stored, made: stimuli.Stimuli, task: str, split: str, shown: Sequence[str]
) -> Answers:
    """Show the images of a split: the first two views to every checkpoint, more to the last.

    Raises
    ------
    ValueError
        When there is no such split, or it shows no class that the network knows.
    """
    first = next(iter(nets.values()))
    classes, own = catalogue(*first[0], task)
    codes = pd.Index(classes[own]).get_indexer(made.factors[task].astype(str))
    if split not in (present := made.factors["split"].unique()):
        there = ", ".join(map(str, present))
        raise ValueError(f"{made.path} has no image of split '{split}'; it has {there}")
    rows = np.flatnonzero((made.factors["split"] == split) & (codes != UNKNOWN))
    if not len(rows):
        raise ValueError(f"no image of split '{split}' has one of the classes of {task}")
    named = np.full((len(nets), len(first), len(shown), len(rows)), UNKNOWN, np.int32)
    rank = np.full(named.shape, np.nan, np.float32)
    truth = codes[rows] + own.start
    with tqdm(
        total=len(rows), desc=f"showing {made.path.parent.name}", unit="image", delay=2
    ) as bar:
        for start in range(0, len(rows), BLOCK):
            here = slice(start, start + BLOCK)
            images = pixels(made, rows[here], first[0][0].eyes)
            for place, view in enumerate(shown):
                # Angles are for the networks as they are in the end.
                every = slice(None) if view in shown[:2] else slice(-1, None)
                cells = tuple(array[:, every, place, here] for array in (named, rank))
                answer(nets, every, views.show(images, view), (task, truth[here]), cells)
            bar.update(len(images))
    return Answers(
        named=named,
        rank=rank,
        epochs=np.array([facts["epoch"] for _, facts in first]),
        seeds=tuple(nets),
        views=tuple(shown),
        truth=truth,
        identity=made.factors["identity"].to_numpy()[rows],
        classes=classes,
        own=own,
    )


def answer(
    nets: Stored,
    every: slice,
    images: np.ndarray,
    question: tuple[str, np.ndarray],
    cells: tuple[np.ndarray, np.ndarray],
) -> None:
    """Fill in what each network says of each image, and how high it ranks the right class.

    Parameters
    ----------
    question : (str, (n,) int)
        The task, and the right class of each image.
    cells : two arrays, (S, checkpoints of `every`, n)
    """
    task, truth = question
    settings = {"batch_size": BLOCK, "augment": STILL, "seed": 0, "device": hardware.device()}
    batches = list(Batches(images, {}, **settings))  # turned into numbers once for all networks
    for seed, stored in enumerate(nets.values()):
        for line, (net, _) in enumerate(stored[every]):
            said = predict(net, batches)[task]
            cells[0][seed, line] = said.argmax(axis=1)
            cells[1][seed, line] = rank_of(said, truth)


def rank_of(said: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Give the share of other classes that are ranked below the right one; ties count half.

    >>> rank_of(np.array([[0.1, 0.7, 0.2]]), np.array([2]))
    array([0.5])
    """
    right = np.take_along_axis(said, truth[:, None], axis=1)
    below, equal = (said < right).sum(axis=1), (said == right).sum(axis=1) - 1
    return (below + equal / 2) / (said.shape[1] - 1)


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
    with files.create(path) as file:
        arrays = answers.named, answers.rank, answers.truth, answers.identity
        files.reserve(file, sum(values.nbytes for values in arrays))
        file["named"], file["rank"] = answers.named, answers.rank
        file["truth"], file["identity"] = answers.truth, answers.identity
        file["epoch"], file["seed"] = answers.epochs, np.array(answers.seeds)
        file["own"] = (answers.own.start, answers.own.stop)
        text = h5py.string_dtype()
        file.create_dataset("view", data=np.array(answers.views, dtype=object), dtype=text)
        file.create_dataset("class", data=np.array(answers.classes, dtype=object), dtype=text)
