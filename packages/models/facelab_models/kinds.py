"""The kinds of task: the head that answers, the cost that teaches it, the score that judges it.

`TASKS` holds them. Every answer is on a scale one can read: logits or cosines for classes, the
factor's own unit (years, degrees) for a continuous one.

A label may be missing, class −1 or NaN: that image then teaches and tests the other tasks only.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from facelab_models.angles import AngleHead, circular_r2, squared_chord
from facelab_models.margins import SCALE, CosineHead, widen

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
        Of each continuous output in the training images, in its own unit; empty for other kinds.
    head : str
        Name of the head it shares with other tasks; empty for a head of its own.
    first : int
        Place of its first class among those of the shared head.
    """

    kind: str
    outputs: int
    weight: float
    mean: tuple[float, ...] = ()
    sd: tuple[float, ...] = ()
    head: str = ""
    first: int = 0

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
        if self.head and self.kind != "categorical":
            raise ValueError(f"only categorical tasks share a classifier, not {self.kind} ones")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one kind of task is answered, taught and judged.

    Attributes
    ----------
    factor : str
        The kind of factor it reads: categorical or continuous.
    head : callable
        (features, spec) to the module that maps (B, features) to (B, outputs).
    cost : callable
        (outputs, targets, spec, label_smoothing) to the summed loss and the number of labels, both
        scalars. A label smoothing of None means that nothing is being taught.
    score : callable
        (outputs, targets, spec) to a number, 1 for a perfect network.
    measure : str
        What the score is called.
    has_scale : bool
        Whether the spec carries each output's mean and sd.
    """

    factor: str
    head: Callable[[int, TaskSpec], nn.Module]
    cost: Callable[[Tensor, Tensor, TaskSpec, float | None], tuple[Tensor, Tensor]]
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


def accuracy_among_own(logits: Tensor, classes: Tensor, spec: TaskSpec) -> float:
    """Return the accuracy of a joined classifier that may choose among the task's classes only."""
    own = logits[:, spec.first : spec.first + spec.outputs]
    return _accuracy(own, classes, replace(spec, first=0))


def _cross_entropy(
    logits: Tensor, classes: Tensor, spec: TaskSpec, label_smoothing: float | None
) -> tuple[Tensor, Tensor]:
    present = classes != MISSING
    total = F.cross_entropy(
        logits,
        torch.where(present, classes + spec.first, MISSING),
        ignore_index=MISSING,
        reduction="sum",
        label_smoothing=label_smoothing or 0.0,
    )
    return total, present.sum()


def _angular_cross_entropy(
    cosines: Tensor, classes: Tensor, spec: TaskSpec, label_smoothing: float | None
) -> tuple[Tensor, Tensor]:
    """Cost the scaled cosines, with the margin while they are being taught."""
    taught = cosines if label_smoothing is None else widen(cosines, classes)
    return _cross_entropy(SCALE * taught, classes, spec, label_smoothing)


def _accuracy(logits: Tensor, classes: Tensor, spec: TaskSpec) -> float:
    present = classes != MISSING
    return (logits.argmax(dim=1) == classes + spec.first)[present].float().mean().item()


def _squared_error(
    values: Tensor, targets: Tensor, spec: TaskSpec, _: float | None
) -> tuple[Tensor, Tensor]:
    targets = targets.reshape(values.shape)
    present = ~targets.isnan()
    errors = torch.where(present, values - targets.nan_to_num(), 0) / values.new_tensor(spec.sd)
    return errors.square().sum(), present.sum()


def _explained(values: Tensor, targets: Tensor, _: TaskSpec) -> float:
    """Return R², each output against its own mean, averaged over outputs."""
    targets = targets.reshape(values.shape).double()
    missing = targets.isnan()
    residual = (targets - values).masked_fill(missing, 0).square().sum(dim=0)
    spread = (targets - targets.nanmean(dim=0)).masked_fill(missing, 0).square().sum(dim=0)
    return (1 - residual / spread).mean().item()


def _chord(answers: Tensor, angles: Tensor, _: TaskSpec, __: float | None) -> tuple[Tensor, Tensor]:
    angles = angles.reshape(answers.shape)
    present = ~angles.isnan()
    errors = torch.where(present, squared_chord(answers, angles.nan_to_num()), 0)
    return errors.sum(), present.sum()


def _circular(answers: Tensor, angles: Tensor, _: TaskSpec) -> float:
    return circular_r2(answers, angles.reshape(answers.shape))


CATEGORICAL = Kind(
    factor="categorical",
    head=lambda features, spec: nn.Linear(features, spec.outputs),
    cost=_cross_entropy,
    score=_accuracy,
    measure="accuracy",
    has_scale=False,
)
TASKS: dict[str, Kind] = {
    "categorical": CATEGORICAL,
    "margin": replace(
        CATEGORICAL,
        head=lambda features, spec: CosineHead(features, spec.outputs),
        cost=_angular_cross_entropy,
    ),
    "continuous": Kind(
        factor="continuous",
        head=ScaledLinear,
        cost=_squared_error,
        score=_explained,
        measure="r2",
        has_scale=True,
    ),
    "angle": Kind(
        factor="continuous",
        head=lambda features, spec: AngleHead(features, spec.outputs),
        cost=_chord,
        score=_circular,
        measure="circular_r2",
        has_scale=False,
    ),
}
