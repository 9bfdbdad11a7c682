"""The training loop. There is one, and it is a generator.

`fit` trains in place and yields a record at every checkpoint and after every epoch. Whoever
iterates decides the rest: log the record, keep a checkpoint, or stop early with `break`. A record
gives the state from which `fit` goes on as if it had never stopped, bit for bit.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Protocol

import torch
from tqdm import tqdm

from facelab_models.batches import Batch
from facelab_models.network import FaceNet
from facelab_models.progress import Progress, Record, State
from facelab_models.schedules import SCHEDULES, share


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How to train a network.

    Attributes
    ----------
    epochs : int
        Passes over the images; 0 leaves the network untrained.
    optimizer : str
        A key of `OPTIMIZERS`.
    lr : float
        Peak learning rate.
    weight_decay : float
        Decoupled decay of convolutions and linear maps; biases and batch norms have none.
    schedule : str
        A key of `SCHEDULES`.
    warmup : float
        Fraction of the training in which the learning rate rises to its peak.
    label_smoothing : float
        Share of a categorical target spread evenly over all classes.
    checkpoints : tuple of float
        Epochs, possibly fractional, at which to yield a record; 0 is the untrained network.
    """

    epochs: int
    optimizer: str
    lr: float
    weight_decay: float
    schedule: str
    warmup: float
    label_smoothing: float
    checkpoints: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, choices in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
            if (value := getattr(self, name)) not in choices:
                raise ValueError(f"unknown {name} '{value}'; choose from {', '.join(choices)}")
        if self.epochs < 0:
            raise ValueError(f"epochs is 0 or more, not {self.epochs}")
        for name in ("warmup", "label_smoothing"):
            if not 0 <= (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} is at least 0 and below 1, not {value}")
        if outside := [epoch for epoch in self.checkpoints if not 0 <= epoch <= self.epochs]:
            raise ValueError(f"checkpoint {outside[0]} lies outside the {self.epochs} epochs")


class Epochs(Protocol):
    """Batches of any epoch, dealt the same way whenever they are asked for."""

    def __len__(self) -> int: ...

    def __call__(self, epoch: int) -> Iterable[Batch]:  # noqa: D102
        ...


def fit(
    net: FaceNet, batches: Epochs, config: FitConfig, *, state: State | None = None
) -> Iterator[Record]:
    """Train `net` in place, on its own device; yield a record at checkpoints and epoch ends.

    Nothing happens until the result is iterated. On a graphics card the network computes in
    bfloat16, elsewhere in float32.

    Parameters
    ----------
    net : FaceNet
    batches : callable of epoch, with a length
        Deals `len(batches)` batches, the same ones whenever called with the same epoch.
    config : FitConfig
    state : dict
        A record's state, to go on from there; that record is not repeated.

    Raises
    ------
    FloatingPointError
        If a loss is not finite.
    ValueError
        If the state belongs to another training, or targets for a task are missing.
    """
    length, total = len(batches), config.epochs * len(batches)
    stops = {max(round(epoch * length), int(epoch > 0)) for epoch in config.checkpoints}
    optimizer = OPTIMIZERS[config.optimizer](_parameter_groups(net, config), config)
    progress = Progress(net, optimizer, length=length, terms=_terms(config))
    if state is not None:
        progress.restore(state)
    elif 0 in stops:
        yield progress.record(is_checkpoint=True)
    with tqdm(total=total, initial=progress.step, desc="training", unit="batch", delay=2) as bar:
        for epoch in range(progress.step // length, config.epochs):
            bar.set_postfix(epoch=f"{epoch + 1}/{config.epochs}", refresh=False)
            for images, targets in islice(batches(epoch), progress.step % length, None):
                rate = config.lr * share(
                    config.schedule,
                    (progress.step + 0.5) / total,
                    warmup=config.warmup,
                    history=progress.history,
                )
                progress.learn(images, targets, lr=rate, label_smoothing=config.label_smoothing)
                bar.update()
                if progress.step in stops or progress.step % length == 0:
                    yield progress.record(is_checkpoint=progress.step in stops)


def _terms(config: FitConfig) -> dict[str, Any]:
    """Return what must not change when training resumes; where to stop and look may."""
    terms = asdict(config)
    del terms["checkpoints"]
    return terms


def _parameter_groups(net: FaceNet, config: FitConfig) -> list[dict[str, Any]]:
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _adamw(groups: list[dict[str, Any]], config: FitConfig) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


OPTIMIZERS: dict[str, Callable[[list[dict[str, Any]], FitConfig], torch.optim.Optimizer]] = {
    "adamw": _adamw
}
