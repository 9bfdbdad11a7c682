"""The training loop. There is one, and it is a generator.

`fit` trains in place and yields a record at every checkpoint and after every epoch. Whoever
iterates decides the rest: log the record, keep a checkpoint, or stop early with `break`. A record
gives the state from which `fit` goes on as if it had never stopped, bit for bit.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Protocol

import torch
import torch.nn as nn
from tqdm import tqdm

from facelab_models import distributed
from facelab_models.batches import Batch
from facelab_models.network import FaceNet
from facelab_models.progress import Progress, Record, State
from facelab_models.schedules import SCHEDULES, Drops, share

TRAINED = ("all", "heads")
RANGES: dict[str, tuple[Callable[[float], bool], tuple[str, ...]]] = {
    "0 or more": (lambda value: 0 <= value < math.inf, ("epochs", "weight_decay")),
    "above 0": (lambda value: 0 < value < math.inf, ("lr",)),
    "at least 0 and below 1": (
        lambda value: 0 <= value < 1,
        ("momentum", "warmup", "label_smoothing"),
    ),
}
"""What numbers of a training may be, in words, how to tell, and which numbers."""


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How to train a network.

    Attributes
    ----------
    trained : str
        ``all``, or ``heads``: the rest of the network stays as it is, batch statistics included.
    epochs : int
        Passes over the images; 0 leaves the network as it is.
    optimizer : str
        A key of `OPTIMIZERS`.
    lr : float
        Peak learning rate.
    momentum : float
        Of the gradient: SGD's momentum, the first beta of Adam and AdamW.
    weight_decay : float
        Of convolutions and linear maps; biases and batch norms have none. Decoupled from the
        gradient in AdamW, part of it (an L2 penalty) in the others.
    schedule : str
        A key of `SCHEDULES`.
    warmup : float
        Fraction of the training in which the learning rate rises to its peak.
    drop, drop_epochs : float, int
        The schedule ``step`` multiplies the rate by `drop` every `drop_epochs` epochs, and
        ``plateau`` after more than `drop_epochs` epochs without a lower training loss.
    label_smoothing : float
        Share of a categorical target spread evenly over all classes.
    checkpoints : tuple of float
        Epochs, possibly fractional, at which to yield a record, rising; 0 is the untrained network.
    """

    trained: str
    epochs: int
    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    schedule: str
    warmup: float
    drop: float
    drop_epochs: int
    label_smoothing: float
    checkpoints: tuple[float, ...]

    def __post_init__(self) -> None:
        choices = {"trained": TRAINED, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"unknown {name} '{value}'; choose from {', '.join(known)}")
        for valid, (holds, names) in RANGES.items():
            for name in names:
                if not holds(value := getattr(self, name)):
                    raise ValueError(f"{name} is {valid}, not {value}")
        _ = self.drops
        if outside := [epoch for epoch in self.checkpoints if not 0 <= epoch <= self.epochs]:
            raise ValueError(f"checkpoint {outside[0]} lies outside the {self.epochs} epochs")
        if list(self.checkpoints) != sorted(set(self.checkpoints)):
            raise ValueError(f"checkpoints rise, each once, not {list(self.checkpoints)}")

    @property
    def drops(self) -> Drops:
        """Give how the rate falls under the schedules that drop it."""
        return Drops(factor=self.drop, epochs=self.drop_epochs)


class Epochs(Protocol):
    """Batches of any epoch, dealt the same way whenever they are asked for."""

    def __len__(self) -> int: ...

    def __call__(self, epoch: int) -> Iterable[Batch]:  # noqa: D102
        ...


def fit(
    net: FaceNet,
    batches: Epochs,
    config: FitConfig,
    *,
    state: State | None = None,
    pause_s: float = math.inf,
) -> Iterator[Record]:
    """Train `net` in place, on its own device; yield a record at checkpoints and epoch ends.

    Nothing happens until the result is iterated. On a graphics card that has bfloat16 the network
    computes in it, elsewhere in float32. Under torchrun all processes train the one network
    together (`distributed`).

    Parameters
    ----------
    net : FaceNet
    batches : callable of epoch, with a length
        Deals `len(batches)` batches, the same ones whenever called with the same epoch; to each of
        several processes its part of them (`distributed.portion`).
    config : FitConfig
    state : dict
        A record's state, to go on from there; that record is not repeated.
    pause_s : float
        Seconds after which to yield a record between checkpoints, for the sake of its state; in
        the first of several processes only.

    Raises
    ------
    FloatingPointError
        If a loss is not finite.
    ValueError
        If the state belongs to another training, or targets for a task are missing.
    """
    length, total = max(len(batches), 1), config.epochs * len(batches)
    stops = {max(round(epoch * length), int(epoch > 0)) for epoch in config.checkpoints}
    with _held(net, config):
        replica = distributed.replicate(net) if total else net
        optimizer = OPTIMIZERS[config.optimizer](_parameter_groups(net, config), config)
        progress = Progress(net, replica, optimizer, length=length, terms=_terms(config))
        if state is not None:
            progress.restore(state)
        elif 0 in stops:
            yield progress.record(is_checkpoint=True)
        for _ in _learn(progress, batches, config):
            if progress.step in stops or progress.step % length == 0:
                yield progress.record(is_checkpoint=progress.step in stops)
            elif progress.is_settled and progress.since_record_s > pause_s:
                yield progress.pause()


def _learn(progress: Progress, batches: Epochs, config: FitConfig) -> Iterator[None]:
    """Take every step that is left, and yield after each."""
    length, total = progress.length, config.epochs * len(batches)
    with tqdm(
        total=total,
        initial=progress.step,
        desc="training",
        unit="batch",
        delay=2,
        **({"disable": True} if distributed.rank() > 0 else {}),  # else as TQDM_DISABLE says
    ) as bar:
        for epoch in range(progress.step // length, config.epochs):
            bar.set_postfix(epoch=f"{epoch + 1}/{config.epochs}", refresh=False)
            for images, targets in islice(batches(epoch), progress.step % length, None):
                rate = config.lr * share(
                    config.schedule,
                    (progress.step + 0.5) / total,
                    warmup=config.warmup,
                    history=progress.history,
                    drops=config.drops,
                )
                progress.learn(images, targets, lr=rate, label_smoothing=config.label_smoothing)
                bar.update()
                yield


def _terms(config: FitConfig) -> dict[str, Any]:
    """Return what must not change when training resumes; where to stop and look may."""
    terms = asdict(config)
    del terms["checkpoints"]
    return terms


@contextmanager
def _held(net: FaceNet, config: FitConfig) -> Iterator[None]:
    """Hold all but the heads as they are, if only the heads are trained."""
    held = [] if config.trained == "all" else _without_heads(net)
    held = [parameter for parameter in held if parameter.requires_grad]
    for parameter in held:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in held:
            parameter.requires_grad_(True)


def _without_heads(net: FaceNet) -> list[nn.Parameter]:
    return [value for name, value in net.named_parameters() if not name.startswith("heads.")]


def _parameter_groups(net: FaceNet, config: FitConfig) -> list[dict[str, Any]]:
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


Groups = list[dict[str, Any]]


def _adamw(groups: Groups, config: FitConfig) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, config.lr, (config.momentum, 0.999), fused=True)


def _adam(groups: Groups, config: FitConfig) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, config.lr, (config.momentum, 0.999), fused=True)


def _sgd(groups: Groups, config: FitConfig) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, config.lr, config.momentum, fused=True)


def _nesterov(groups: Groups, config: FitConfig) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, config.lr, config.momentum, nesterov=True, fused=True)


OPTIMIZERS: dict[str, Callable[[Groups, FitConfig], torch.optim.Optimizer]] = {
    "adamw": _adamw,
    "adam": _adam,
    "sgd": _sgd,
    "nesterov": _nesterov,
}
