"""Residual trunks of single convolutions, pre-activation.

`resnet6` is the small network that face-generator studies record layer by layer: few enough
layers to look at each, enough depth for identity to emerge. `resnet10` doubles its depth, and the
thin variants have the same layers and receptive fields with fewer units.

A trunk maps images (B, 3, H, W) to features (B, `features`) and names in `layers`, in order of
depth, the submodules worth recording.
"""

from collections.abc import Callable

import torch.nn as nn
from torch import Tensor

Stage = tuple[int, int, int]


class Block(nn.Module):
    """One residual step: batch norm, ReLU, 3×3 convolution, added to the input.

    The input is passed on as it is, or through a 1×1 convolution where the number of units or the
    size of the map changes (He et al. 2016, Identity mappings in deep residual networks, fig. 4e).
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        unchanged = stride == 1 and inputs == outputs
        self.shortcut = (
            nn.Identity() if unchanged else nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        return self.conv(self.relu(self.norm(maps))) + self.shortcut(maps)


class GlobalPool(nn.Module):
    """Average each unit over space, deterministically on any device."""

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, units, H, W) to (B, units)."""
        return maps.mean(dim=(2, 3))


class ResNet(nn.Sequential):
    """A 7×7 convolution, a pooling, residual blocks, and the average over space.

    Weights are drawn as He et al. 2015 (normal, fan in). Batch statistics move by a tenth per step
    (0.9 in Keras' convention); slower ones leave so small a network untested on its own training.

    Parameters
    ----------
    stem : int
        Units of the first convolution.
    stages : tuple of (units, blocks, stride)
        Each stage's first block takes its stride.
    """

    features: int
    layers: tuple[str, ...]

    def __init__(self, stem: int, stages: tuple[Stage, ...]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, 7, stride=2, padding=3, bias=False)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        width, names = stem, []
        for units, blocks, stride in stages:
            for position in range(blocks):
                names.append(f"block{len(names) + 1}")
                self.add_module(names[-1], Block(width, units, stride if position == 0 else 1))
                width = units
        self.norm = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.pool = GlobalPool()
        self.features = width
        self.layers = ("conv1", *(f"{name}.conv" for name in names), "pool")
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


def resnet6() -> ResNet:
    """Build the four-block network: 64 units, then 128, 128, 256, 256."""
    return ResNet(64, ((128, 2, 1), (256, 2, 2)))


def resnet6_thin() -> ResNet:
    """Build a quarter-width `resnet6`."""
    return ResNet(16, ((32, 2, 1), (64, 2, 2)))


def resnet10() -> ResNet:
    """Build the eight-block network: 64, 128, 256 and 512 units, two blocks each."""
    return ResNet(64, ((64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2)))


def resnet10_thin() -> ResNet:
    """Build a quarter-width `resnet10`."""
    return ResNet(16, ((16, 2, 1), (32, 2, 2), (64, 2, 2), (128, 2, 2)))


RESNETS: dict[str, Callable[[], ResNet]] = {
    "resnet6": resnet6,
    "resnet6_thin": resnet6_thin,
    "resnet10": resnet10,
    "resnet10_thin": resnet10_thin,
}
