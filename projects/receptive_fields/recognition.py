"""What a network says the images show, before its units are asked anything."""

import numpy as np
import pandas as pd
from facelab_models.augmentation import STILL
from facelab_models.batches import Batches
from facelab_models.evaluation import predict
from scipy.stats import binomtest

from projects import hardware
from projects.material import pixels
from projects.receptive_fields.viewers import BLOCK, Viewer

UNKNOWN = -1
SCORES = ("seed", "epoch", "task", "images", "accuracy", "low", "high", "chance")
CONFUSION = ("seed", "epoch", "task", "shown", "named", "images")


def recognise(viewer: Viewer) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ask a network for the class of every image that has one it knows.

    Returns
    -------
    scores : DataFrame
        A row per task that can be asked: accuracy among the task's own classes, with Wilson's 95 %
        interval over the images; chance is 1 / classes.
    confusion : DataFrame
        How many images of each class were given each name, where any was.
    """
    scores, confusion = [], []
    for task, classes in viewer.facts["classes"].items():
        if task not in viewer.made.factors:
            continue
        shown = viewer.made.factors[task].astype(str)
        truth = pd.Index(classes).get_indexer(shown.iloc[viewer.rows])
        known = truth != UNKNOWN
        if not known.any():
            continue
        truth, named = truth[known], name(viewer, task, viewer.rows[known])
        about = {"seed": viewer.facts["seed"], "epoch": viewer.facts["epoch"], "task": task}
        scores.append(about | rate(truth == named) | {"chance": 1 / len(classes)})
        pairs, counts = np.unique(np.stack([truth, named]), axis=1, return_counts=True)
        confusion += [
            about | {"shown": classes[pair[0]], "named": classes[pair[1]], "images": int(count)}
            for pair, count in zip(pairs.T, counts, strict=True)
        ]
    return pd.DataFrame(scores, columns=SCORES), pd.DataFrame(confusion, columns=CONFUSION)


def name(viewer: Viewer, task: str, rows: np.ndarray) -> np.ndarray:
    """Give the class that the network names for each image, (n,), among the task's own."""
    spec = viewer.net.spec.tasks[task]
    own = slice(spec.first, spec.first + spec.outputs) if spec.head else slice(None)
    settings = {"batch_size": BLOCK, "augment": STILL, "seed": 0, "device": hardware.device()}
    named = []
    for start in range(0, len(rows), BLOCK):
        images = pixels(viewer.made, rows[start : start + BLOCK], viewer.net.eyes)
        answers = predict(viewer.net, Batches(images, {}, **settings))[task]
        named.append(answers[:, own].argmax(axis=1))
    return np.concatenate(named)


def rate(right: np.ndarray) -> dict[str, float]:
    """Give the share of right answers and its interval."""
    found = binomtest(int(right.sum()), len(right))
    low, high = found.proportion_ci(method="wilson")
    return {"images": len(right), "accuracy": found.statistic, "low": low, "high": high}
