"""Operations that look at several places: their geometry, and what they make of a change.

A convolution or average is linear, so the change of its output is what it makes of the change of
its input, without its bias. A maximum is not: it needs the values themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from facelab_probing.windows import WINDOWS, Window, by_name

Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A convolution or pooling.

    Attributes
    ----------
    pooling : str
        "maximum", "average", or "" for a convolution.
    size, stride, padding, dilation : tuple of int
        Down and along; the padding before the first place.
    after : tuple of int
        The padding after the last place, of a convolution.
    apply : callable
        The whole operation, on maps (n, C, H, W).
    weight, bias, groups : Tensor (outputs, inputs / groups, *size), Tensor (outputs,), int
        Of a convolution.
    """

    pooling: str
    size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    apply: Callable[[Tensor], Tensor]
    weight: Tensor | None = None
    bias: Tensor | None = None
    groups: int = 1
    after: Pair = (0, 0)

    def reach(self, axis: int) -> int:
        """Give the distance between the first and the last place in a window."""
        return self.dilation[axis] * (self.size[axis] - 1)

    def scaled(self, factor: Tensor, offset: Tensor) -> "Kernel":
        """Follow a convolution by a factor and an offset for each of its units."""
        weight = self.weight.double() * factor.view(-1, 1, 1, 1)
        bias = offset if self.bias is None else self.bias.double() * factor + offset
        kept = self.weight.dtype
        weight = weight.to(kept).contiguous(memory_format=torch.channels_last)
        return _convolution(replace(self, weight=weight, bias=bias.to(kept)))

    def only(self, unit: int) -> "Kernel":
        """Keep one unit of an ungrouped convolution."""
        bias = None if self.bias is None else self.bias[unit : unit + 1]
        return _convolution(replace(self, weight=self.weight[unit : unit + 1], bias=bias))


def kernel_of(
    name: str, given: tuple, options: dict, shapes: tuple[tuple, tuple], apply: Callable
) -> Kernel | None:
    """Find the kernel of a torch function from its arguments; None if it has none that is regular.

    Parameters
    ----------
    name : str
    given, options : tuple, dict
        Its arguments, without the maps.
    shapes : tuple
        Of the maps that go in and come out.
    apply : callable
        The function with these arguments.
    """
    poolings = {"max_pool2d": "maximum", "avg_pool2d": "average", "adaptive_avg_pool2d": "average"}
    if name != "conv2d" and name not in poolings:
        return None
    (*_, height, width), (*_, rows, columns) = shapes
    sides = ((height, rows), (width, columns))
    found = [WINDOWS[name]((axis, *side), *given, **options) for axis, side in enumerate(sides)]
    if any(window is None or not _regular(window) for window in found):
        return None
    kernel = Kernel(
        pooling=poolings.get(name, ""),
        size=tuple(int(w.last[0] - w.first[0]) // w.dilation + 1 for w in found),
        stride=tuple(int(w.stride) for w in found),
        padding=tuple(-int(w.first[0]) for w in found),
        dilation=tuple(w.dilation for w in found),
        apply=apply,
    )
    if name in poolings:
        return kernel
    options = by_name("weight bias stride padding dilation groups", given, options)
    known = {key: options[key] for key in ("weight", "bias", "groups") if key in options}
    return replace(kernel, **known, after=_after(kernel, sides))


def _after(kernel: Kernel, sides: tuple[Pair, Pair]) -> Pair:
    """Find the padding after the last place: as before the first, if that gives as many places."""
    found = []
    for axis, (before, places) in enumerate(sides):
        stride, padding, reach = kernel.stride[axis], kernel.padding[axis], kernel.reach(axis)
        alike = (before + 2 * padding - reach - 1) // stride + 1 == places
        found.append(padding if alike else (places - 1) * stride + reach + 1 - padding - before)
    return tuple(found)


def _regular(window: Window) -> bool:
    places = np.arange(len(window.first))
    first = window.first[0] + places * window.stride
    return bool(
        np.array_equal(first, window.first)
        and (window.last - window.first == window.last[0] - window.first[0]).all()
    )


def _convolution(kernel: Kernel) -> Kernel:
    """Renew what applies a convolution whose weights have changed."""
    return replace(kernel, apply=partial(_convolve, kernel))


def _convolve(kernel: Kernel, maps: Tensor) -> Tensor:
    padding = kernel.padding
    if kernel.after != padding:
        (top, left), (bottom, right) = padding, kernel.after
        maps, padding = F.pad(maps, (left, right, top, bottom)), (0, 0)
    options = kernel.stride, padding, kernel.dilation, kernel.groups
    return F.conv2d(maps, kernel.weight, kernel.bias, *options)
