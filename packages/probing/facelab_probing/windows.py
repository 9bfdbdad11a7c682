"""The arithmetic of receptive fields along one axis of the image (Araujo et al. 2019).

An operation is a window: which places of its input each place of its output looks at. `WINDOWS`
says so for each operation that looks at several, or at one elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

Along = tuple[int, int, int]
"""An axis (0 down, 1 along), and the places there in the input and in the output."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The fields of a layer along one axis of the image.

    Attributes
    ----------
    size_px, stride_px, offset_px : float
        Extent of a field; distance between those of neighbouring places; first pixel of the first,
        negative where it begins outside the image. Of whole-image fields the stride is 0.
    low, high : array, (places,)
        First and last pixel inside the image that each place can see.
    """

    size_px: float
    stride_px: float
    offset_px: float
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Window:
    """Where each place of an output looks in its input, padding included.

    Attributes
    ----------
    first, last : array, (places,)
        Places of the input; below 0 and past its end lies padding, which sees nothing.
    stride : float
        Distance between the windows of neighbours.
    dilation : int
        Distance between the places in a window.
    """

    first: np.ndarray
    last: np.ndarray
    stride: float
    dilation: int = 1


def pixels(size_px: int) -> Axis:
    """Give the axis of the image itself, where each place sees one pixel."""
    places = np.arange(size_px)
    return Axis(size_px=1, stride_px=1, offset_px=0, low=places, high=places)


def whole(places: int, size_px: int) -> Axis:
    """Give an axis whose every place sees all of the image."""
    low, high = np.zeros(places, dtype=int), np.full(places, size_px - 1)
    return Axis(size_px=size_px, stride_px=0, offset_px=0, low=low, high=high)


def through(axis: Axis, window: Window) -> Axis:
    """Give the fields of an operation's output from those of its input."""
    places, step = len(axis.low), window.dilation
    first = window.first + step * -(-np.maximum(-window.first, 0) // step)
    last = window.last - step * -(-np.maximum(window.last - places + 1, 0) // step)
    return Axis(
        size_px=axis.size_px + (window.last - window.first).max().item() * axis.stride_px,
        stride_px=axis.stride_px * window.stride,
        offset_px=axis.offset_px + window.first[0].item() * axis.stride_px,
        low=axis.low[first.clip(0, places - 1)],
        high=axis.high[last.clip(0, places - 1)],
    )


def hull(axes: list[Axis], size_px: int) -> Axis:
    """Give the fields of a sum or concatenation; a single place is taken for all places."""
    low = np.min(np.broadcast_arrays(*(axis.low for axis in axes)), axis=0)
    high = np.max(np.broadcast_arrays(*(axis.high for axis in axes)), axis=0)
    if len({(len(axis.low), axis.stride_px) for axis in axes}) > 1:  # one of them is global
        return replace(whole(len(low), size_px), low=low, high=high)
    offset = min(axis.offset_px for axis in axes)
    end = max(axis.offset_px + axis.size_px for axis in axes)
    stride = axes[0].stride_px
    return Axis(size_px=end - offset, stride_px=stride, offset_px=offset, low=low, high=high)


def by_name(order: str, given: tuple, named: dict) -> dict:
    """Give the options of an operation by name, however they were passed."""
    return dict(zip(order.split(), given, strict=False)) | named


def _regular(places: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> Window:
    first = np.arange(places) * stride - padding
    last = first + dilation * (kernel - 1)
    return Window(first=first, last=last, stride=stride, dilation=dilation)


def _convolution(along: Along, *given: object, **named: object) -> Window:
    options = by_name("weight bias stride padding dilation groups", given, named)
    axis, _, places = along
    kernel, dilation = options["weight"].shape[2 + axis], _at(options.get("dilation", 1), axis)
    padding = options.get("padding", 0)
    if isinstance(padding, str):
        padding = dilation * (kernel - 1) // 2 if padding == "same" else 0
    stride = _at(options.get("stride", 1), axis)
    return _regular(places, kernel, stride, _at(padding, axis), dilation)


def _max_pooling(along: Along, *given: object, **named: object) -> Window:
    return _pooling(along, by_name("kernel_size stride padding dilation", given, named))


def _average_pooling(along: Along, *given: object, **named: object) -> Window:
    return _pooling(along, by_name("kernel_size stride padding", given, named))


def _pooling(along: Along, options: dict) -> Window:
    axis, _, places = along
    kernel = options["kernel_size"]
    stride, padding = options.get("stride") or kernel, options.get("padding", 0)
    dilation = _at(options.get("dilation", 1), axis)
    return _regular(places, _at(kernel, axis), _at(stride, axis), _at(padding, axis), dilation)


def _adaptive_pooling(along: Along, *_: object, **__: object) -> Window | None:
    _, inputs, places = along
    if places == 1:
        return None
    first = np.arange(places) * inputs // places
    last = -(-(np.arange(places) + 1) * inputs // places) - 1
    return Window(first=first, last=last, stride=inputs / places)


def _padding(along: Along, *given: object, **named: object) -> Window | None:
    options = by_name("pad mode value", given, named)
    axis, _, places = along
    if options.get("mode", "constant") != "constant":
        return None
    pad, side = options["pad"], 2 * (1 - axis)  # the last axis comes first
    return _regular(places, 1, 1, pad[side] if len(pad) > side else 0)


def _resizing(along: Along, *given: object, **named: object) -> Window | None:
    options = by_name("size scale_factor mode align_corners", given, named)
    axis, inputs, places = along
    scale_factor, mode = options.get("scale_factor"), options.get("mode", "nearest")
    scale = inputs / places if scale_factor is None else 1 / _at(scale_factor, axis)
    centre = (np.arange(places) + 0.5) * scale
    if mode.startswith("nearest"):
        first = last = np.floor(centre if mode == "nearest-exact" else centre - scale / 2)
    elif mode == "bilinear" and not options.get("align_corners"):
        reach = scale if options.get("antialias") and scale > 1 else 1
        first, last = np.floor(centre - reach + 0.5), np.floor(centre + reach + 0.5) - 1
    else:
        return None
    return Window(first=first.astype(int), last=last.astype(int), stride=scale)


def _at(value: object, axis: int) -> object:
    """Take an axis' share of an option given once or for each axis."""
    if not isinstance(value, tuple | list):
        return value
    return value[axis] if len(value) > 1 else value[0]


WINDOWS: dict[str, Callable[..., Window | None]] = {
    "conv2d": _convolution,
    "max_pool2d": _max_pooling,
    "avg_pool2d": _average_pooling,
    "adaptive_avg_pool2d": _adaptive_pooling,
    "adaptive_max_pool2d": _adaptive_pooling,
    "pad": _padding,
    "interpolate": _resizing,
}
"""For each of torch's operations: its window along an axis, None if it sees the whole image."""
