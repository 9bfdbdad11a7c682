"""What networks are trained and scored on: images of a stimulus set, and labels for their tasks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from facelab_data import views
from facelab_data.stimuli import Stimuli
from facelab_models.augmentation import STILL, Augment
from facelab_models.batches import Batches
from facelab_models.kinds import MISSING, TASKS, TaskSpec
from facelab_models.tasks import specify

SCORED = ("holdout", "validation")
EVALUATION_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task of a network, in params.yaml.

    Attributes
    ----------
    kind : str
        A key of `facelab_models.kinds.TASKS`.
    weight : float
        Share of the task's loss in the joint loss.
    classes : str
        A text file with one class per line, in the order of the head's outputs: for a network that
        knows more classes than are shown. "" takes the classes of the training images.
    """

    kind: str
    weight: float
    classes: str

    def __post_init__(self) -> None:
        if self.kind not in TASKS:
            raise ValueError(f"unknown kind of task '{self.kind}'; choose from {', '.join(TASKS)}")


@dataclass(frozen=True, eq=False)
class Material:
    """A stimulus set with labels for some tasks.

    Attributes
    ----------
    made : Stimuli
    targets : dict of task to (N,) classes or (N, K) numbers
        Of all images; an image whose class is not among the task's has none.
    classes : dict of task to list of str
        Names of the classes, in the order of the head's outputs.
    """

    made: Stimuli
    targets: dict[str, np.ndarray]
    classes: dict[str, list[str]]

    @property
    def splits(self) -> pd.Series:
        """Name each image's split."""
        return self.made.factors["split"]

    @property
    def teaches(self) -> bool:
        """Whether there are images to learn from."""
        return bool((self.splits == "training").any())


def label(made: Stimuli, tasks: dict[str, Task], lists: dict[str, list[str]]) -> Material:
    """Give each task's targets for all images.

    A task's classes are those of `lists`, or of the training images: nobody else can be named.

    Raises
    ------
    ValueError
        When a task is no factor of the set, its kind does not fit the factor's, or none of its
        classes is in the set.
    """
    targets, classes = {}, {}
    for task, wanted in tasks.items():
        _check(made, task, wanted)
        values = made.factors[list(made.outputs[task])]
        if made.kinds[task] == "continuous":
            targets[task] = values.to_numpy(dtype=np.float32, copy=True)
        elif task in lists:
            targets[task], classes[task] = _listed(values[task], lists[task]), lists[task]
        else:
            targets[task], classes[task] = _taught(values[task], made.factors["split"])
    return Material(made, targets, classes)


def read_classes(path: Path) -> list[str]:
    """Read a list of classes, one per line.

    Raises
    ------
    ValueError
        When it is not text, a line is empty, or a class is listed twice; in one line.
    """
    try:
        names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no UTF-8 text with one class per line") from None
    if not names or "" in names:
        raise ValueError(f"{path}: line {names.index('') + 1 if names else 1} names no class")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{path} lists class '{twice}' more than once")
    return names


def describe(material: Material, tasks: dict[str, Task]) -> dict[str, TaskSpec]:
    """Describe each task, with the scale of its targets in training."""
    rows = (material.splits == "training").to_numpy() | (not material.teaches)
    specs = {}
    for task, wanted in tasks.items():
        count = len(material.classes.get(task, ()))
        try:
            specs[task] = specify(wanted.kind, material.targets[task][rows], wanted.weight, count)
        except ValueError as error:
            raise ValueError(f"task '{task}': {error}") from None
    return specs


def deal(
    material: Material,
    device: torch.device,
    *,
    batch_size: int,
    augment: Augment,
    shares: Mapping[str, float],
    seed: int,
    eyes: int,
) -> dict[str, Batches]:
    """Hold the images of each split in memory, 8-bit, ready to be dealt.

    Each view has its share of the images of every person, in every split. Of a set without
    training images all splits are dealt: whoever looks at them has been trained elsewhere.
    """
    splits = ("training", *SCORED) if material.teaches else material.splits.unique()
    dealt = {}
    for split in splits:
        rows = np.flatnonzero(material.splits == split)
        kept = {task: values[rows] for task, values in material.targets.items()}
        known = {task: values for task, values in kept.items() if _present(values).any()}
        if known:
            dealt[str(split)] = Batches(
                turned(material.made, rows, eyes, shares),
                known,
                batch_size=batch_size if split == "training" else EVALUATION_BATCH,
                augment=augment if split == "training" else STILL,
                seed=seed,
                device=device,
            )
    if not dealt:
        raise ValueError(f"{material.made.path} has no label for {', '.join(material.targets)}")
    return dealt


def pixels(made: Stimuli, rows: np.ndarray, eyes: int) -> np.ndarray:
    """Read images (n, H, W, 3), or (n, H, W, 6) for a network with two eyes."""
    if eyes > len(made.eyes):
        raise ValueError(f"the network has two eyes, the images in {made.path} are of one")
    return np.concatenate([made.images(rows, eye) for eye in made.eyes[:eyes]], axis=3)


def turned(made: Stimuli, rows: np.ndarray, eyes: int, shares: Mapping[str, float]) -> np.ndarray:
    """Read images as `pixels` does, each shown in the view it is dealt.

    Parameters
    ----------
    shares : mapping of str to float
        The share of each view, see `facelab_data.views`; they add up to 1.
    """
    images = pixels(made, rows, eyes)
    dealt = deal_views(made.factors["identity"].to_numpy()[rows], shares)
    for view in shares:
        here = dealt == view
        if view != views.UPRIGHT and here.any():
            images[here] = views.show(images[here], view)
    return images


def deal_views(identity: np.ndarray, shares: Mapping[str, float]) -> np.ndarray:
    """Give each image (N,) a view, so that each view has its share of every person's images.

    Raises
    ------
    ValueError
        When a view is unknown, or shares are negative or do not add up to 1.
    """
    for view, share in shares.items():
        views.angle(view)
        if not 0 <= share <= 1:
            raise ValueError(f"the share of view '{view}' is {share}; it lies between 0 and 1")
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"the shares of views add up to {sum(shares.values()):g}, not to 1")
    names, wanted = list(shares), np.array(list(shares.values()))
    given, dealt = np.zeros(len(wanted)), np.empty(len(identity), dtype=object)
    for number, row in enumerate(np.argsort(identity, kind="stable")):
        view = int(np.argmax(wanted * (number + 1) - given))  # the one that lacks most
        given[view] += 1
        dealt[row] = names[view]
    return dealt


def _check(made: Stimuli, task: str, wanted: Task) -> None:
    if task not in made.kinds:
        raise ValueError(f"unknown task '{task}'; this set has {', '.join(made.kinds)}")
    kind = made.kinds[task]
    if TASKS[wanted.kind].factor != kind:
        fitting = ", ".join(name for name, known in TASKS.items() if known.factor == kind)
        raise ValueError(f"'{task}' is {kind}, no {wanted.kind} task; choose from {fitting}")
    if wanted.classes and kind != "categorical":
        raise ValueError(f"'{task}' is {kind} and has no classes to list in {wanted.classes}")


def _listed(values: pd.Series, names: list[str]) -> np.ndarray:
    """Give each image's place in a list of classes."""
    shown = values.map(str, na_action="ignore")
    places = pd.Index(names).get_indexer(shown).astype(np.int64)
    if (places == MISSING).all():
        raise ValueError(
            f"no image's {values.name} is among the {len(names)} listed classes: "
            f"'{shown.dropna().iloc[0]}' was shown, '{names[0]}' is the first listed"
        )
    return places


def _taught(values: pd.Series, splits: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Give each image's class among those of the training images, and their names."""
    training = splits == "training"
    known = values[training if training.any() else slice(None)].dropna()
    names = sorted(known.unique())
    places = pd.Index(names).get_indexer(values).astype(np.int64)
    return places, [str(name) for name in names]


def _present(values: np.ndarray) -> np.ndarray:
    return values != MISSING if np.issubdtype(values.dtype, np.integer) else ~np.isnan(values)
