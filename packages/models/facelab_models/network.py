"""A trunk, and a head for each task.

A network for one task is a network with one head, so training, recording and lesioning never ask
which experiment they serve. The network normalises its own input: whoever holds RGB images in
[0, 1] may show them to any network.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch import Tensor

from facelab_models.kinds import TaskSpec
from facelab_models.tasks import heads
from facelab_models.trunks.resnet import RESNETS

TRUNKS: dict[str, Callable[[], nn.Module]] = {**RESNETS}


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """All it takes to rebuild a network but its weights, in plain values.

    Attributes
    ----------
    trunk : str
        A key of `TRUNKS`.
    tasks : dict of str to TaskSpec
        A head for each, under this name, or one that several share.
    mean, std : tuple of float, (3,)
        Of the red, green and blue pixels, in [0, 1]; the network subtracts and divides by them.
    """

    trunk: str
    tasks: dict[str, TaskSpec]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class Normalise(nn.Module):
    """Subtract the mean of each colour and divide by its standard deviation."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB (B, 3, H, W) in [0, 1] to standardised pixels of the same shape."""
        if not images.is_floating_point():
            raise ValueError(f"images are numbers in [0, 1], not {images.dtype}; divide by 255")
        if images.ndim != 4 or images.shape[1] != self.mean.shape[1]:
            raise ValueError(f"images are (B, 3, H, W), not {tuple(images.shape)}")
        return (images - self.mean) / self.std


class FaceNet(nn.Module):
    """A network that answers several questions about a face from one trunk.

    Built by `build`. Its submodules are `normalise`, `trunk` and `heads`, one per task; `spec` is
    the description it was built from.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self.normalise = Normalise(spec.mean, spec.std)
        self.trunk = TRUNKS[spec.trunk]()
        self.heads = nn.ModuleDict(heads(self.trunk.features, spec.tasks))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map images (B, 3, H, W) in [0, 1] to each task's answers (B, outputs)."""
        features = self.trunk(self.normalise(images))
        answers = {name: head(features) for name, head in self.heads.items()}
        return {name: answers[task.head or name] for name, task in self.spec.tasks.items()}


def build(spec: NetworkSpec, *, seed: int) -> FaceNet:
    """Build an untrained network; the same spec and seed give the same weights.

    torch's own random state is left as it was. Convolutions are laid out channels last, the faster
    way on a processor as on a graphics card. Raises ValueError on an unknown trunk, no task,
    a task that cannot name a head, or a colour that never varies.
    """
    if spec.trunk not in TRUNKS:
        raise ValueError(f"unknown trunk '{spec.trunk}'; choose from {', '.join(TRUNKS)}")
    if not spec.tasks:
        raise ValueError("a network needs at least one task")
    if unnamed := [name for name in spec.tasks if not name.isidentifier() or hasattr(dict, name)]:
        raise ValueError(f"task '{unnamed[0]}' is no name for a head; use letters, digits and _")
    if not all(std > 0 for std in spec.std):
        raise ValueError(f"std is above 0 for each colour, not {spec.std}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = FaceNet(spec)
    return net.to(memory_format=torch.channels_last)


def layer_names(net: FaceNet) -> tuple[str, ...]:
    """List the layers worth recording, from the pixels to the heads."""
    trunk = (f"trunk.{layer}" for layer in net.trunk.layers)
    return ("normalise", *trunk, *(f"heads.{task}" for task in net.heads))
