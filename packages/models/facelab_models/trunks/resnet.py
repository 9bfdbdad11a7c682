"""Residual trunks, pre-activation.

`resnet6` is the small network that face-generator studies record layer by layer: few enough
layers to look at each, enough depth for identity to emerge. `resnet10` doubles its depth. Both
have one convolution in a block; `resnet18` and `resnet34` have two, `resnet50` three. The thin
variants have the same layers and receptive fields with a quarter of the units.
"""

from collections import OrderedDict
from collections.abc import Callable

import torch.nn as nn

from facelab_models.trunks.blocks import Block, Both, GlobalPool, bottleneck, draw_weights, pair
from facelab_models.trunks.trunk import Trunk

Stage = tuple[int, int, int]
Stages = tuple[Stage, ...]

SIX: Stages = ((128, 2, 1), (256, 2, 2))
TEN: Stages = ((64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2))
THIRTY_FOUR: Stages = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
FIFTY: Stages = ((256, 3, 1), (512, 4, 2), (1024, 6, 2), (2048, 3, 2))


def resnet(
    stem: int,
    stages: Stages,
    block: Callable[[int, int, int], nn.Module] = Block,
    *,
    joined: int | None = None,
) -> Trunk:
    """Build a 7×7 convolution, a pooling, residual blocks, and the average over space.

    Weights are drawn as He et al. 2015 (normal, fan in). Batch statistics move by a tenth per step
    (0.9 in Keras' convention); slower ones leave so small a network untested on its own training.

    Parameters
    ----------
    stem : int
        Units of the first convolution.
    stages : tuple of (units, blocks, stride)
        Each stage's first block takes its stride.
    block : callable
        (inputs, outputs, stride) to a residual block.
    joined : int, optional
        Give the network two eyes, which share weights up to the end of this stage (0 is the stem);
        there their units are put side by side.
    """
    eyes = 1 if joined is None else 2
    alone = (lambda module: module) if joined is None else Both
    first = nn.Conv2d(3, stem, 7, stride=2, padding=3, bias=False)
    parts = OrderedDict(conv1=alone(first), maxpool=nn.MaxPool2d(3, stride=2, padding=1))
    width, layers = stem * (eyes if joined == 0 else 1), ["conv1"]
    for stage, (units, blocks, stride) in enumerate(stages, 1):
        for position in range(blocks):
            name = f"block{len(parts) - 1}"
            made = block(width, units, stride if position == 0 else 1)
            monocular = joined is not None and stage <= joined
            parts[name] = Both(made) if monocular else made
            layers += [name] if monocular else _convolutions(name, made)
            width = units
        width *= eyes if stage == joined else 1
    parts |= {"norm": nn.BatchNorm2d(width), "relu": nn.ReLU(), "pool": GlobalPool()}
    net = nn.Sequential(parts)
    draw_weights(net)
    return Trunk(net=net, features=width, layers=(*layers, "pool"), eyes=eyes)


def thin(stages: Stages) -> Stages:
    """Keep a quarter of the units of each stage."""
    return tuple((units // 4, blocks, stride) for units, blocks, stride in stages)


def _convolutions(name: str, block: nn.Module) -> list[str]:
    return [f"{name}.{child}" for child, _ in block.named_children() if child.startswith("conv")]


RESNETS: dict[str, Callable[[], Trunk]] = {
    "resnet6": lambda: resnet(64, SIX),
    "resnet6_thin": lambda: resnet(16, thin(SIX)),
    "resnet10": lambda: resnet(64, TEN),
    "resnet10_thin": lambda: resnet(16, thin(TEN)),
    "resnet18": lambda: resnet(64, TEN, pair),
    "resnet18_thin": lambda: resnet(16, thin(TEN), pair),
    "resnet34": lambda: resnet(64, THIRTY_FOUR, pair),
    "resnet50": lambda: resnet(64, FIFTY, bottleneck),
    "resnet50_thin": lambda: resnet(16, thin(FIFTY), bottleneck),
}
