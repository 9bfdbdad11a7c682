"""What a network is asked to say about a face.

A kind of task is the head that answers, the loss that teaches it and the score that judges it;
`TASKS` holds the kinds. Every answer is on a scale one can read: logits for classes, the factor's
own unit (years, degrees) for a continuous one.

A label may be missing, class −1 or NaN: that image then teaches and tests the other tasks only.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

MISSING = -1


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """One thing to read off a face, in plain values.

    Attributes
    ----------
    kind : str
        A key of `TASKS`.
    outputs : int
        Classes, or numbers to predict.
    weight : float
        Share of this task's loss in the joint loss; 0 keeps the head but teaches it nothing.
    mean, sd : tuple of float
        Of each continuous output in the training images, in its own unit; empty for classes.
    """

    kind: str
    outputs: int
    weight: float
    mean: tuple[float, ...] = ()
    sd: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in TASKS:
            raise ValueError(f"unknown kind of task '{self.kind}'; choose from {', '.join(TASKS)}")
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise ValueError(f"the weight of a task is 0 or more, not {self.weight}")
        moments = self.outputs if TASKS[self.kind].has_scale else 0
        if (len(self.mean), len(self.sd)) != (moments, moments):
            raise ValueError(
                f"a {self.kind} task of {self.outputs} outputs has {moments} means and sds, "
                f"not {len(self.mean)} and {len(self.sd)}"
            )


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one kind of task is answered, taught and judged.

    Attributes
    ----------
    head : callable
        (features, spec) to the module that maps (B, features) to (B, outputs).
    loss : callable
        (outputs, targets, spec, label_smoothing) to the mean loss over labelled images, a scalar.
    score : callable
        (outputs, targets, spec) to a number, 1 for a perfect network.
    measure : str
        What the score is called.
    has_scale : bool
        Whether the spec carries each output's mean and sd.
    """

    head: Callable[[int, TaskSpec], nn.Module]
    loss: Callable[[Tensor, Tensor, TaskSpec, float], Tensor]
    score: Callable[[Tensor, Tensor, TaskSpec], float]
    measure: str
    has_scale: bool


class ScaledLinear(nn.Linear):
    """A linear map that learns standardised values and answers in natural units."""

    def __init__(self, features: int, spec: TaskSpec) -> None:
        super().__init__(features, spec.outputs)
        self.register_buffer("mean", torch.tensor(spec.mean), persistent=False)
        self.register_buffer("sd", torch.tensor(spec.sd), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, features) to (B, outputs), in the unit of each output."""
        return super().forward(features) * self.sd + self.mean


def joint_loss(
    outputs: dict[str, Tensor],
    targets: dict[str, Tensor],
    specs: dict[str, TaskSpec],
    label_smoothing: float,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Weigh and add the losses of all tasks; return the sum and the unweighted losses.

    Raises ValueError if the targets lack one of the tasks.
    """
    if missing := [task for task in specs if task not in targets]:
        raise ValueError(f"no targets for task '{missing[0]}'; there are {', '.join(targets)}")
    losses = {
        task: TASKS[spec.kind].loss(outputs[task], targets[task], spec, label_smoothing)
        for task, spec in specs.items()
    }
    return torch.stack([specs[task].weight * loss for task, loss in losses.items()]).sum(), losses


def specify(kind: str, targets: np.ndarray, weight: float) -> TaskSpec:
    """Describe a task from its training targets: (N,) classes, or (N,) or (N, K) numbers.

    The number of classes is the largest class plus one; missing labels are left out. Raises
    ValueError if the kind is unknown, there are no labels, or a continuous output never varies.
    """
    if kind not in TASKS:
        raise ValueError(f"unknown kind of task '{kind}'; choose from {', '.join(TASKS)}")
    if not TASKS[kind].has_scale:
        if not (targets != MISSING).any():
            raise ValueError(f"a {kind} task has no labels")
        return TaskSpec(kind=kind, outputs=int(targets.max()) + 1, weight=weight)
    columns = targets.reshape(len(targets), -1)
    mean, sd = np.nanmean(columns, axis=0), np.nanstd(columns, axis=0)
    if not (sd > 0).all():
        raise ValueError(f"output {int(np.argmin(sd > 0))} of a {kind} task never varies")
    return TaskSpec(
        kind=kind,
        outputs=columns.shape[1],
        weight=weight,
        mean=tuple(mean.tolist()),
        sd=tuple(sd.tolist()),
    )


def _linear(features: int, spec: TaskSpec) -> nn.Module:
    return nn.Linear(features, spec.outputs)


def _cross_entropy(logits: Tensor, classes: Tensor, _: TaskSpec, label_smoothing: float) -> Tensor:
    total = F.cross_entropy(
        logits, classes, ignore_index=MISSING, reduction="sum", label_smoothing=label_smoothing
    )
    return total / (classes != MISSING).sum().clamp(min=1)


def _accuracy(logits: Tensor, classes: Tensor, _: TaskSpec) -> float:
    present = classes != MISSING
    return (logits.argmax(dim=1) == classes)[present].float().mean().item()


def _squared_error(values: Tensor, targets: Tensor, spec: TaskSpec, _: float) -> Tensor:
    targets = targets.reshape(values.shape)
    present = ~targets.isnan()
    errors = torch.where(present, values - targets.nan_to_num(), 0) / values.new_tensor(spec.sd)
    return errors.square().sum() / present.sum().clamp(min=1)


def _explained(values: Tensor, targets: Tensor, _: TaskSpec) -> float:
    """Return R², each output against its own mean, averaged over outputs."""
    targets = targets.reshape(values.shape).double()
    missing = targets.isnan()
    residual = (targets - values).masked_fill(missing, 0).square().sum(dim=0)
    spread = (targets - targets.nanmean(dim=0)).masked_fill(missing, 0).square().sum(dim=0)
    return (1 - residual / spread).mean().item()


TASKS: dict[str, Kind] = {
    "categorical": Kind(
        head=_linear, loss=_cross_entropy, score=_accuracy, measure="accuracy", has_scale=False
    ),
    "continuous": Kind(
        head=ScaledLinear, loss=_squared_error, score=_explained, measure="r2", has_scale=True
    ),
}
