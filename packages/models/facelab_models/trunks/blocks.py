"""What trunks are built of: residual blocks, two eyes, the average over space."""

import torch
import torch.nn as nn
from torch import Tensor


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
        self.shortcut = _shortcut(inputs, outputs, stride)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        return self.conv(self.relu(self.norm(maps))) + self.shortcut(maps)


class DeepBlock(nn.Module):
    """A residual step of several convolutions, each after batch norm and ReLU.

    Parameters
    ----------
    inputs : int
    convolutions : tuple of (kernel_px, outputs, stride)
        In order; the input reaches the sum as in `Block`.
    """

    def __init__(self, inputs: int, convolutions: tuple[tuple[int, int, int], ...]) -> None:
        super().__init__()
        width, reduction = inputs, 1
        for place, (kernel_px, outputs, stride) in enumerate(convolutions, 1):
            conv = nn.Conv2d(width, outputs, kernel_px, stride, padding=kernel_px // 2, bias=False)
            self.add_module(f"norm{place}", nn.BatchNorm2d(width))
            self.add_module(f"relu{place}", nn.ReLU())
            self.add_module(f"conv{place}", conv)
            width, reduction = outputs, reduction * stride
        self.shortcut = _shortcut(inputs, width, reduction)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        change = maps
        for name, step in self.named_children():
            if name != "shortcut":
                change = step(change)
        return change + self.shortcut(maps)


def pair(inputs: int, outputs: int, stride: int) -> DeepBlock:
    """Build a block of two 3×3 convolutions, as in an 18 or 34 layer network."""
    return DeepBlock(inputs, ((3, outputs, stride), (3, outputs, 1)))


def bottleneck(inputs: int, outputs: int, stride: int) -> DeepBlock:
    """Build a block that computes with a quarter of its units, as in a 50 layer network."""
    narrow = outputs // 4
    return DeepBlock(inputs, ((1, narrow, 1), (3, narrow, stride), (1, outputs, 1)))


class Both(nn.Module):
    """The same module for the left eye and the right: units of the left come first."""

    def __init__(self, one: nn.Module) -> None:
        super().__init__()
        self.one = one

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, 2 · inputs, H, W) to (B, 2 · outputs, ...); batch norm sees both eyes at once."""
        seen = self.one(torch.cat(maps.chunk(2, dim=1), dim=0))
        return torch.cat(seen.chunk(2, dim=0), dim=1)


class GlobalPool(nn.Module):
    """Average each unit over space, deterministically on any device."""

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, units, H, W) to (B, units)."""
        return maps.mean(dim=(2, 3))


def draw_weights(net: nn.Module) -> None:
    """Draw the weights of all convolutions as He et al. 2015 (normal, fan in); zero the biases."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    unchanged = stride == 1 and inputs == outputs
    return nn.Identity() if unchanged else nn.Conv2d(inputs, outputs, 1, stride, bias=False)
