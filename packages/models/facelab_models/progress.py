"""A training under way: what has been learned, how far it has come, and the way back to here."""

import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor

from facelab_models import distributed
from facelab_models.losses import joint_loss
from facelab_models.network import FaceNet

SETTLED_EVERY = 16  # steps between two looks at the losses, for which a graphics card must wait
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
        Mean over the batches since the last record that was a checkpoint or ended an epoch; empty
        before the first batch.
    is_checkpoint, is_epoch_end : bool
        Why this record was made; neither when it was made for its state only.
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
    replica : Module
        What to call in training: `net`, or `net` as one of several that are trained together.
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
        replica: nn.Module,
        optimizer: Optimizer,
        *,
        length: int,
        terms: dict[str, Any],
    ) -> None:
        self.net, self.replica, self.optimizer, self.length = net, replica, optimizer, length
        self.terms = {**terms, "network": asdict(net.spec), "number of batches": length}
        self.device = next(net.parameters()).device
        self.step = 0
        self.history: list[float] = []  # mean joint loss of every finished epoch
        self.epoch_loss = 0.0
        self.recent = np.zeros(len(net.spec.tasks))  # summed losses since the last record
        self.recent_steps = 0
        self.unsettled: list[Tensor] = []  # the joint loss and the losses of each step, (tasks + 1)
        self.recorded_s = time.monotonic()
        self.is_training = False

    def learn(
        self, images: Tensor, targets: dict[str, Tensor], *, lr: float, label_smoothing: float
    ) -> None:
        """Take one step of gradient descent.

        Raises FloatingPointError if a loss is not finite, some steps later or at the next record.
        """
        if not self.is_training:
            self._train()
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        targets = {task: values.to(self.device) for task, values in targets.items()}
        processes = distributed.size()
        with _reproducible(self.device), _own_noise(self.device):
            # Dropout follows from the step alone, so that a resumed training repeats it.
            torch.manual_seed(self.step * processes + distributed.rank())
            with _precision(self.device):
                outputs = self.replica(images.to(self.device))
            answers = {task: output.float() for task, output in outputs.items()}
            loss, losses = joint_loss(answers, targets, self.net.spec.tasks, label_smoothing)
            self.optimizer.zero_grad()
            # Gradients are averaged over processes, and each one's loss is a share of the sum.
            (loss * processes).backward()
            self.optimizer.step()
        self.unsettled.append(torch.stack([loss, *losses.values()]).detach())
        self.step += 1
        if self.step % SETTLED_EVERY == 0 or self.step % self.length == 0:
            self._settle()

    @property
    def is_settled(self) -> bool:
        """Whether all losses so far have been looked at and found finite."""
        return not self.unsettled

    @property
    def since_record_s(self) -> float:
        """Give the time since the last record or pause, in seconds."""
        return time.monotonic() - self.recorded_s

    def record(self, *, is_checkpoint: bool) -> Record:
        """Sum up the steps since the last record."""
        self._settle()
        record = self._record(is_checkpoint=is_checkpoint)
        self.recent, self.recent_steps = np.zeros_like(self.recent), 0
        return record

    def pause(self) -> Record:
        """Look in on the steps since the last record, which go on being summed up."""
        return self._record(is_checkpoint=False)

    def restore(self, state: State) -> None:
        """Go back to a state; raise ValueError if it comes from a training on other terms."""
        for name, value in self.terms.items():
            if state["terms"].get(name) != value:
                raise ValueError(f"the state to resume was reached with another {name}")
        state = copy.deepcopy(state)
        self.net.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.epoch_loss = state["step"], state["epoch_loss"]
        self.recent, self.recent_steps = np.array(state["recent"]), state["recent_steps"]
        self.history = state["history"]

    def _record(self, *, is_checkpoint: bool) -> Record:
        self.net.eval()
        self.is_training = False
        self.recorded_s = time.monotonic()
        step, means = self.step, (self.recent / max(self.recent_steps, 1)).tolist()

        def state() -> State:
            if self.step != step:
                raise RuntimeError(f"the state of step {step} is gone: training is at {self.step}")
            return self._state()

        return Record(
            epoch=step / self.length,
            step=step,
            losses=dict(zip(self.net.spec.tasks, means, strict=True)) if self.recent_steps else {},
            is_checkpoint=is_checkpoint,
            is_epoch_end=step > 0 and step % self.length == 0,
            state=state,
        )

    def _state(self) -> State:
        state = {
            "terms": self.terms,
            "weights": dict(self.net.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "epoch": self.step / self.length,
            "epoch_loss": self.epoch_loss,
            "recent": self.recent.tolist(),
            "recent_steps": self.recent_steps,
            "history": self.history,
        }
        return copy.deepcopy(state)

    def _train(self) -> None:
        """Put in training mode what is being trained."""
        self.replica.train()
        for part in self.net.children():
            if not any(parameter.requires_grad for parameter in part.parameters()):
                part.eval()
        self.is_training = True

    def _settle(self) -> None:
        """Look at the losses of the last steps, of all processes."""
        if not self.unsettled:
            return
        notes = distributed.total(torch.stack(self.unsettled)).tolist()
        first, self.unsettled = self.step - len(notes), []
        for step, (loss, *losses) in enumerate(notes, start=first):
            for task, value in zip(self.net.spec.tasks, losses, strict=True):
                if not np.isfinite(value):
                    epoch = step // self.length + 1
                    raise FloatingPointError(
                        f"the loss of task '{task}' is {value} in epoch {epoch}"
                    )
            self.recent += losses
            self.recent_steps += 1
            self.epoch_loss += loss
        if self.step % self.length == 0:
            self.history.append(self.epoch_loss / self.length)
            self.epoch_loss = 0.0


def _precision(device: torch.device) -> AbstractContextManager[None]:
    """Compute in bfloat16 on a graphics card that has it."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


def _own_noise(device: torch.device) -> AbstractContextManager[None]:
    """Leave torch's random state as it was found."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def _reproducible(device: torch.device) -> AbstractContextManager[None]:
    """Let a graphics card choose deterministic convolutions only."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
