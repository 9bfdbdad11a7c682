"""A trunk, where it branches, and a head for each task.

A network for one task is a network with one head, so training, recording and lesioning never ask
which experiment they serve. The network sizes and normalises its own input: whoever holds RGB
images in [0, 1] may show them to any network.
"""

from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import torch
import torch.fx
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from facelab_models.kinds import TASKS, TaskSpec
from facelab_models.tasks import heads
from facelab_models.trunks.binocular import BINOCULAR
from facelab_models.trunks.blocks import GlobalPool
from facelab_models.trunks.classics import CLASSICS
from facelab_models.trunks.cornet import CORNETS
from facelab_models.trunks.foreign import foreign
from facelab_models.trunks.recurrent import RECURRENT
from facelab_models.trunks.resnet import RESNETS
from facelab_models.trunks.trunk import Trunk, cut

TRUNKS: dict[str, Callable[[], Trunk]] = {
    **RESNETS,
    **CORNETS,
    **CLASSICS,
    **RECURRENT,
    **BINOCULAR,
}


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """All it takes to rebuild a network but its weights, in plain values.

    Attributes
    ----------
    trunk : str
        A key of `TRUNKS`; `torchvision:name`; or `module:function` that returns a module.
    tasks : dict of str to TaskSpec
        A head for each, under this name, or one that several share.
    mean, std : tuple of float, (3,)
        Of the red, green and blue pixels, in [0, 1]; the network subtracts and divides by them.
    branch : str
        Layer of the trunk after which each task has a copy of the rest; "" leaves all shared.
    size_px : int
        Side of the square to which the network resizes its images; 0 takes them as they come.
    """

    trunk: str
    tasks: dict[str, TaskSpec]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    branch: str = ""
    size_px: int = 0


class Normalise(nn.Module):
    """Bring images to size, subtract each colour's mean and divide by its standard deviation.

    Resizing is bilinear and antialiased, to a square of `size_px`; 0 leaves the size as it is.
    """

    def __init__(
        self, mean: tuple[float, ...], std: tuple[float, ...], *, eyes: int = 1, size_px: int = 0
    ) -> None:
        super().__init__()
        self.size_px = size_px
        for name, values in (("mean", mean), ("std", std)):
            colours = torch.tensor(values).repeat(eyes).view(1, -1, 1, 1)
            self.register_buffer(name, colours, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB (B, 3 · eyes, H, W) in [0, 1] to standardised pixels."""
        check_images(images, self.mean.shape[1])
        if self.size_px:
            size = (self.size_px, self.size_px)
            images = F.interpolate(images, size, mode="bilinear", antialias=True)
        return (images - self.mean) / self.std


def check_images(images: Tensor, channels: int) -> None:
    """Raise ValueError unless images are numbers of shape (B, channels, H, W)."""
    if not images.is_floating_point():
        raise ValueError(f"images are numbers in [0, 1], not {images.dtype}; divide by 255")
    if images.ndim != 4 or images.shape[1] != channels:
        eyes = " for two eyes, left RGB then right" if channels == 6 else ""
        raise ValueError(f"images are (B, {channels}, H, W){eyes}, not {tuple(images.shape)}")


torch.fx.wrap("check_images")  # so that a network can be traced without an image


class FaceNet(nn.Module):
    """A network that answers several questions about a face from one trunk.

    Built by `build`. Its submodules are `normalise`, `trunk` (what all tasks share), `branches`
    (what each task has for itself, if the trunk branches) and `heads`, one per task. `spec` is the
    description it was built from, `eyes` counts the pictures it takes of a face, `layers` names
    what is worth recording, and `published_head` says what the original network calls its last
    layer.
    """

    def __init__(self, spec: NetworkSpec, trunk: Trunk) -> None:
        super().__init__()
        self.spec = spec
        self.eyes = trunk.eyes
        self.published_head = trunk.head
        self.normalise = Normalise(spec.mean, spec.std, eyes=trunk.eyes, size_px=spec.size_px)
        for module in trunk.net.modules():  # what is computed in place is lost to who listens
            if getattr(module, "inplace", False):
                module.inplace = False
        self.trunk, rest = cut(trunk, spec.branch) if spec.branch else (trunk.net, None)
        self.branches = nn.ModuleDict(
            {name: deepcopy(rest) for name in spec.tasks} if spec.branch else {}
        )
        self.heads = nn.ModuleDict(heads(partial(_head, trunk), spec.tasks))
        below = () if rest is None else dict(rest.named_modules())
        branched = [layer for layer in trunk.layers if layer in below]
        self.layers = (
            "normalise",
            *(f"trunk.{layer}" for layer in trunk.layers if layer not in below),
            *(f"branches.{task}.{layer}" for task in self.branches for layer in branched),
            *(f"heads.{task}" for task in self.heads),
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map images (B, 3 · eyes, H, W) in [0, 1] to each task's answers (B, outputs)."""
        shared = self.trunk(self.normalise(images))
        answers = {
            name: head(self.branches[name](shared) if name in self.branches else shared)
            for name, head in self.heads.items()
        }
        return {name: answers[task.head or name] for name, task in self.spec.tasks.items()}


def build(spec: NetworkSpec, *, seed: int) -> FaceNet:
    """Build an untrained network; the same spec and seed give the same weights.

    Branches start as copies of one another. torch's own random state is left as it was.
    Convolutions are laid out channels last, the faster way on a processor as on a graphics card.
    Raises ValueError on an unknown trunk or branch, no task, a task that cannot name a head, a
    branch below a joined classifier, or a colour that never varies.
    """
    _check(spec)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk = TRUNKS[spec.trunk]() if spec.trunk in TRUNKS else foreign(spec.trunk)
        net = FaceNet(spec, trunk)
    return net.to(memory_format=torch.channels_last)


def layer_names(net: FaceNet) -> tuple[str, ...]:
    """List the layers worth recording, from the pixels to the heads."""
    return net.layers


def _head(trunk: Trunk, task: TaskSpec) -> nn.Module:
    if trunk.classifier is not None and task.kind == "categorical":
        return trunk.classifier(task.outputs)
    head = TASKS[task.kind].head(trunk.features, task)
    return nn.Sequential(OrderedDict(pool=GlobalPool(), answer=head)) if trunk.maps else head


def _check(spec: NetworkSpec) -> None:
    if spec.trunk not in TRUNKS and ":" not in spec.trunk:
        raise ValueError(
            f"unknown trunk '{spec.trunk}'; choose from {', '.join(TRUNKS)}, "
            "torchvision:name or module:function"
        )
    if not spec.tasks:
        raise ValueError("a network needs at least one task")
    if unnamed := [name for name in spec.tasks if not name.isidentifier() or hasattr(dict, name)]:
        raise ValueError(f"task '{unnamed[0]}' is no name for a head; use letters, digits and _")
    if not all(std > 0 for std in spec.std):
        raise ValueError(f"std is above 0 for each colour, not {spec.std}")
    if spec.branch and any(task.head for task in spec.tasks.values()):
        raise ValueError(f"tasks that share a classifier cannot branch after '{spec.branch}'")
    if spec.size_px < 0:
        raise ValueError(f"size_px is 0 or more, not {spec.size_px}")
