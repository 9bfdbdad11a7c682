"""What a network is asked to say about a face: one task, or several at once with their weights.

Tasks have a head each, or `join` gives the categorical ones a single classifier over all their
classes, one list after the other: "which of these people, or of these cars?" is then one question,
and naming a car where a face was shown is an error like any other (Dobs et al. 2022).

The kinds of task are in `kinds`.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch.nn as nn

from facelab_models.kinds import MISSING, TASKS, TaskSpec

JOINED = "joined"


def specify(kind: str, targets: np.ndarray, weight: float, classes: int = 0) -> TaskSpec:
    """Describe a task from its training targets: (N,) classes, or (N,) or (N, K) numbers.

    Unless `classes` says how many there are, they are counted: the largest class plus one. Missing
    labels are left out. Raises ValueError if the kind is unknown, there are no labels, a class is
    outside the classes, or a continuous output never varies.
    """
    if kind not in TASKS:
        raise ValueError(f"unknown kind of task '{kind}'; choose from {', '.join(TASKS)}")
    if TASKS[kind].factor == "categorical":
        if not (classes or (targets != MISSING).any()):
            raise ValueError(f"a {kind} task has no labels")
        largest = int(targets.max(initial=MISSING))
        if classes and largest >= classes:
            raise ValueError(
                f"class {largest} is not among the {classes} classes 0 … {classes - 1}"
            )
        return TaskSpec(kind=kind, outputs=classes or largest + 1, weight=weight)
    columns = targets.reshape(len(targets), -1)
    mean, sd = np.nanmean(columns, axis=0), np.nanstd(columns, axis=0)
    if not (sd > 0).all():
        raise ValueError(f"output {int(np.argmin(sd > 0))} of the {kind} task never varies")
    scale = (
        {"mean": tuple(mean.tolist()), "sd": tuple(sd.tolist())} if TASKS[kind].has_scale else {}
    )
    return TaskSpec(kind=kind, outputs=columns.shape[1], weight=weight, **scale)


def join(specs: dict[str, TaskSpec]) -> dict[str, TaskSpec]:
    """Give all categorical tasks one classifier over their classes, one list after the other.

    An image's loss is then, for each of its tasks that has a label, the cross-entropy of the true
    class among all classes. Raises ValueError if a task tells classes apart in another way.
    """
    joined, first = dict(specs), 0
    for task, spec in specs.items():
        if TASKS[spec.kind].factor == "categorical":
            joined[task] = replace(spec, head=JOINED, first=first)
            first += spec.outputs
    return joined


def heads(
    make: Callable[[TaskSpec], nn.Module], specs: dict[str, TaskSpec]
) -> dict[str, nn.Module]:
    """Make the heads of these tasks, one that several share once and for all their classes."""
    made = {}
    for task, spec in specs.items():
        name = spec.head or task
        if name in specs and spec.head:
            raise ValueError(f"task '{name}' has the name of the head that other tasks share")
        if name not in made:
            ends = [s.first + s.outputs for s in specs.values() if spec.head and s.head == name]
            whole = replace(spec, outputs=max(ends)) if spec.head else spec
            made[name] = make(whole)
    return made
