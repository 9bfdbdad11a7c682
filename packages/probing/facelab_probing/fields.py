"""Which pixels a unit can see: theoretical receptive fields.

They follow from what a network computes, not from its weights. The network is shown one image
while every operation is overheard, and each passes on the fields of what goes in: a convolution or
pooling widens them, a sum or concatenation takes their hull. So residual, branching and recurrent
networks are as good as chains. Operations that bring all places together (a global average, a
linear layer), and those unknown here, see the whole image: a field is exact or too large, never too
small. Only what is written into a part of a tensor (``maps[:, 0] = …``), or leaves torch on its way
(``maps.numpy()``), goes unheard.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch import Tensor
from torch.overrides import TorchFunctionMode

from facelab_probing.hooks import find, tap
from facelab_probing.responses import evaluating
from facelab_probing.windows import WINDOWS, Axis, hull, pixels, through, whole

POINTWISE = {
    *("abs", "clamp", "clone", "contiguous", "detach", "exp", "float", "neg", "pow", "sqrt"),
    *("add", "iadd", "radd", "sub", "isub", "rsub", "mul", "imul", "rmul", "square", "to"),
    *("div", "truediv", "itruediv", "rtruediv", "maximum", "minimum", "dropout", "dropout2d"),
    *("batch_norm", "elu", "gelu", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "mish"),
    *("prelu", "relu", "relu6", "sigmoid", "silu", "softplus", "tanh"),
}
"""What leaves each place to itself, or sees a single place everywhere."""

UNITWISE = {"cat", "chunk", "concat", "getitem", "reshape", "split", "transpose", "view"}
"""What leaves each place to itself if it moves units only."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """The receptive fields of a layer, down the rows and along the columns of the image."""

    rows: Axis
    columns: Axis

    @property
    def size_px(self) -> tuple[float, float]:
        """Height and width, as far as the image goes on."""
        return self.rows.size_px, self.columns.size_px

    def box(self, row: int = 0, column: int = 0) -> tuple[slice, slice]:
        """Give the pixels that the units at this place see: ``images[..., *field.box(3, 4)]``.

        A layer without places, such as a linear one, has all its units at (0, 0).
        """
        return tuple(
            slice(int(axis.low[place]), int(axis.high[place]) + 1)
            for axis, place in ((self.rows, row), (self.columns, column))
        )


@torch.no_grad()
def theoretical(
    net: nn.Module, layers: Iterable[str], size_px: tuple[int, int], *, channels: int = 3
) -> dict[str, Field]:
    """Derive the receptive field of each layer for images of `size_px` (height, width).

    Araujo et al. 2019 give the arithmetic. The network may take any path that Python can; it is
    run once in evaluation mode and left as it was.

    Raises
    ------
    ValueError
        If the network has no such layer, or a layer is called more than once or never, or does
        not depend on the image.
    """
    layers = list(layers)
    weights = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    image = weights.new_zeros(1, channels, *size_px)
    tracing = _Tracing(image)
    with evaluating(net), tap(net, layers, lambda _, out: tracing.field(out)) as found, tracing:
        net(image)
    for layer in layers:
        if found.get(layer) is None:
            problem = "is not called" if layer not in found else "does not depend on the image"
            raise ValueError(f"layer {layer!r} {problem}; it has no receptive field")
    return {layer: found[layer] for layer in layers}


@torch.no_grad()
def describe(
    net: nn.Module, layers: Iterable[str], size_px: tuple[int, int], *, channels: int = 3
) -> list[dict[str, object]]:
    """List the layers, a row each: layer, kind, shape, units, field_px, stride_px.

    `field_px` is the larger side of the theoretical receptive field.
    """
    layers = list(layers)
    fields = theoretical(net, layers, size_px, channels=channels)
    weights = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    with evaluating(net), tap(net, layers, lambda _, out: tuple(out.shape[1:])) as shapes:
        net(weights.new_zeros(1, channels, *size_px))
    return [
        {
            "layer": layer,
            "kind": type(find(net, layer)).__name__,
            "shape": shapes[layer],
            "units": shapes[layer][0],
            "field_px": max(fields[layer].size_px),
            "stride_px": max(fields[layer].rows.stride_px, fields[layer].columns.stride_px),
        }
        for layer in layers
    ]


class _Tracing(TorchFunctionMode):
    """While open, follow the fields of everything computed from one image."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.size_px = tuple(image.shape[2:])
        # The tensor is kept too, for while it lives no other has its id.
        self.known = {id(image): (image, tuple(pixels(n) for n in self.size_px))}

    def field(self, output: Tensor) -> Field | None:
        """Give the field of a tensor; None if it does not depend on the image."""
        _, axes = self.known.get(id(output), (None, None))
        return axes and Field(rows=axes[0], columns=axes[1])

    def __torch_function__(
        self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        """Compute as usual, and note the fields of what comes out."""
        kwargs = kwargs or {}
        seen = [x for x in tensors((args, tuple(kwargs.values()))) if id(x) in self.known]
        before = [(tuple(x.shape), self.known[id(x)][1]) for x in seen]
        result = func(*args, **kwargs)
        options = {name: value for name, value in kwargs.items() if name != "input"}
        name = getattr(func, "__name__", "").strip("_")
        for output in tensors(result) if before else []:
            axes = self._derive(name, before, output, (args[1:], options))
            self.known[id(output)] = (output, axes)
        return result

    def _derive(
        self, name: str, before: list, output: Tensor, options: tuple[tuple, dict]
    ) -> tuple[Axis, ...]:
        places = tuple(output.shape[-2:]) if output.ndim >= 4 else (1, 1)
        everything = tuple(whole(n, size) for n, size in zip(places, self.size_px, strict=True))
        if output.ndim < 4 or any(len(shape) < 4 for shape, _ in before):
            return everything
        if name in WINDOWS:
            (shape, axes), *_ = before
            windows = [
                WINDOWS[name]((axis, shape[2 + axis], places[axis]), *options[0], **options[1])
                for axis in range(2)
            ]
            return tuple(
                everything[axis] if window is None else through(axes[axis], window)
                for axis, window in enumerate(windows)
            )
        kept = all(shape[-2:] == places for shape, _ in before)
        if _is_pointwise(name, options) or (kept and _moves_units(name, options[0])):
            return tuple(
                hull([axes[axis] for _, axes in before], self.size_px[axis]) for axis in range(2)
            )
        return everything


def _is_pointwise(name: str, options: tuple[tuple, dict]) -> bool:
    """Say whether an operation leaves each place to itself; batch norm with no memory does not."""
    given, named = options
    forgets = name == "batch_norm" and (given[0] if given else named.get("running_mean")) is None
    return name in POINTWISE and not forgets


def _moves_units(name: str, options: tuple) -> bool:
    """Say whether an operation that keeps the size of the map moves nothing within it."""
    if name not in UNITWISE:
        return False
    if name == "getitem":
        key = options[0] if isinstance(options[0], tuple) else ()
        return all(part is not Ellipsis for part in key) and all(
            isinstance(part, slice) for part in key[2:]
        )
    return name != "transpose" or set(options) <= {0, 1, 2}


def tensors(values: object) -> Iterator[Tensor]:
    """Yield the tensors in nested tuples and lists."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, tuple | list):
        for value in values:
            yield from tensors(value)
