"""A training under way: what has been learned, how far it has come, and the way back to here."""

import copy
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from facelab_models.network import FaceNet
from facelab_models.tasks import joint_loss

State = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Record:
    """Where training stands. The network is in evaluation mode, ready to be looked at.

    Attributes
    ----------
    epoch : float
        Passes over the images so far.
    step : int
        Batches so far.
    losses : dict of task to float
        Mean over the batches since the last record; empty before the first batch.
    is_checkpoint, is_epoch_end : bool
        Why this record was made.
    state : callable
        Give what `fit` needs to go on from here: a plain dict for `torch.save`, independent of
        the network. Raises RuntimeError once training has gone on.
    """

    epoch: float
    step: int
    losses: dict[str, float]
    is_checkpoint: bool
    is_epoch_end: bool
    state: Callable[[], State]


class Optimizer(Protocol):
    """What training asks of a torch optimizer."""

    param_groups: list[dict[str, Any]]
    zero_grad: Callable[[], None]
    step: Callable[[], None]
    state_dict: Callable[[], State]
    load_state_dict: Callable[[State], None]


class Progress:
    """A network, its optimizer, and the steps they have taken.

    Parameters
    ----------
    net : FaceNet
    optimizer : Optimizer
        Of the network's parameters.
    length : int
        Steps in an epoch.
    terms : dict
        Plain values that must be the same when this training resumes.
    """

    def __init__(
        self,
        net: FaceNet,
        optimizer: Optimizer,
        *,
        length: int,
        terms: dict[str, Any],
    ) -> None:
        self.net, self.optimizer, self.length = net, optimizer, length
        self.terms = {**terms, "network": asdict(net.spec), "number of batches": length}
        self.device = next(net.parameters()).device
        self.step = 0
        self.history: list[float] = []  # mean joint loss of every finished epoch
        self.epoch_loss = 0.0
        self.recent: list[dict[str, float]] = []

    def learn(
        self, images: Tensor, targets: dict[str, Tensor], *, lr: float, label_smoothing: float
    ) -> None:
        """Take one step of gradient descent; raise FloatingPointError if a loss is not finite."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.net.train()
        targets = {task: values.to(self.device) for task, values in targets.items()}
        with _reproducible(self.device), _own_noise(self.device):
            # Dropout follows from the step alone, so that a resumed training repeats it.
            torch.manual_seed(self.step)
            with torch.autocast(self.device.type, torch.bfloat16, self.device.type == "cuda"):
                outputs = self.net(images.to(self.device))
            answers = {task: output.float() for task, output in outputs.items()}
            loss, losses = joint_loss(answers, targets, self.net.spec.tasks, label_smoothing)
            self._note(loss.item(), {task: value.item() for task, value in losses.items()})
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def record(self, *, is_checkpoint: bool) -> Record:
        """Sum up the steps since the last record."""
        self.net.eval()
        step, recent, self.recent = self.step, self.recent, []

        def state() -> State:
            if self.step != step:
                raise RuntimeError(f"the state of step {step} is gone: training is at {self.step}")
            return self._state()

        return Record(
            epoch=step / self.length,
            step=step,
            losses={
                task: sum(losses[task] for losses in recent) / len(recent)
                for task in (recent[0] if recent else ())
            },
            is_checkpoint=is_checkpoint,
            is_epoch_end=step > 0 and step % self.length == 0,
            state=state,
        )

    def restore(self, state: State) -> None:
        """Go back to a state; raise ValueError if it comes from a training on other terms."""
        for name, value in self.terms.items():
            if state["terms"].get(name) != value:
                raise ValueError(f"the state to resume was reached with another {name}")
        state = copy.deepcopy(state)
        self.net.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.epoch_loss = state["step"], state["epoch_loss"]
        self.history = state["history"]

    def _state(self) -> State:
        state = {
            "terms": self.terms,
            "weights": dict(self.net.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "epoch": self.step / self.length,
            "epoch_loss": self.epoch_loss,
            "history": self.history,
        }
        return copy.deepcopy(state)

    def _note(self, loss: float, losses: dict[str, float]) -> None:
        epoch = self.step // self.length + 1
        for task, value in losses.items():
            if not math.isfinite(value):
                raise FloatingPointError(f"the loss of task '{task}' is {value} in epoch {epoch}")
        self.recent.append(losses)
        self.epoch_loss += loss
        self.step += 1
        if self.step % self.length == 0:
            self.history.append(self.epoch_loss / self.length)
            self.epoch_loss = 0.0


def _own_noise(device: torch.device) -> AbstractContextManager[None]:
    """Leave torch's random state as it was found."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def _reproducible(device: torch.device) -> AbstractContextManager[None]:
    """Let a graphics card choose deterministic convolutions only."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
