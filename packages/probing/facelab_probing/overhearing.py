"""Overhearing what a network computes: a note of every operation on what comes from one image.

Any path that Python can take is followed, so nothing need be traceable by a compiler.

A step's kind says how a change in its input spreads: "window" (a convolution or pooling: to the
places whose window holds it), "place" (it stays where it is), "sum" (it stays, and changes add),
"units" (it stays, units are picked or joined) or "whole" (anything else: to all places).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from torch import Tensor
from torch.overrides import TorchFunctionMode

from facelab_probing.fields import POINTWISE, UNITWISE, tensors
from facelab_probing.kernels import Kernel, kernel_of
from facelab_probing.windows import by_name

SUMS = ("add", "iadd", "radd")
MAP = object()
"""Stands for a map in what a function was called with, so that no map is kept."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation of a network.

    Attributes
    ----------
    name, kind : str
        Torch's name of it; one of "window", "place", "sum", "units", "whole".
    inputs, output : tuple of int, int
        Numbers of the maps it takes and gives; 0 is the image.
    run : callable
        Applies it to tensors for `inputs`, images first.
    kernel : Kernel, optional
        Of a "window": its geometry and, of a convolution, its weights.
    options : dict
        Arguments of a batch norm by name, else empty.
    """

    name: str
    kind: str
    inputs: tuple[int, ...]
    output: int
    run: Callable[..., Tensor]
    kernel: Kernel | None = None
    options: dict = field(default_factory=dict)


class Noting(TorchFunctionMode):
    """While open, note every operation on what was computed from one image.

    `steps` are those so far, in order.
    """

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        # Tensors are kept, for while they live no others have their ids.
        self.known: dict[int, tuple[Tensor, int]] = {id(image): (image, 0)}
        self.steps: list[Step] = []

    def number(self, output: Tensor) -> int | None:
        """Give the number of a map; None if it does not depend on the image."""
        return self.known.get(id(output), (None, None))[1]

    def __torch_function__(
        self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        """Compute as usual, and note the step."""
        kwargs = kwargs or {}
        seen = [x for x in tensors((args, tuple(kwargs.values()))) if id(x) in self.known]
        numbers = tuple(self.known[id(x)][1] for x in seen)
        named = zip(kwargs, self._bare(tuple(kwargs.values())), strict=True)
        call = _Call(func, self._bare(args), dict(named), len(seen))
        shapes = [tuple(x.shape) for x in seen]
        result = func(*args, **kwargs)
        outputs = list(tensors(result)) if seen else []
        inplace = any(output is x for output in outputs for x in seen)
        for part, output in enumerate(outputs):
            self.known[id(output)] = (output, len(self.steps) + 1)
            run = _Replay(call, part, single=isinstance(result, Tensor), inplace=inplace)
            kind, kernel = _classify(call, (*shapes, tuple(output.shape)), run)
            if call.name == "interpolate" and kind == "place":
                run = _same  # to the size it has; the replay is checked
            self.steps.append(
                Step(
                    name=call.name,
                    kind=kind,
                    inputs=numbers,
                    output=len(self.steps) + 1,
                    run=run,
                    kernel=kernel,
                    options=call.options if kind == "place" else {},
                )
            )
        return result

    def _bare(self, values: object) -> object:
        """Copy arguments, for lists may grow after the call, with `MAP` for each map."""
        if isinstance(values, Tensor):
            return MAP if id(values) in self.known else values
        if type(values) in (tuple, list):
            return type(values)(self._bare(value) for value in values)
        return values


@dataclass(frozen=True)
class _Call:
    """A function, what it was called with, and how many maps were among that."""

    func: Callable
    args: tuple
    kwargs: dict
    maps: int

    @property
    def name(self) -> str:
        return getattr(self.func, "__name__", "").strip("_")

    @property
    def options(self) -> dict:
        order = "running_mean running_var weight bias training momentum eps"
        named = by_name(order, self.args[1:], self.kwargs)
        return named if self.name == "batch_norm" else {}

    @property
    def constants(self) -> list[Tensor]:
        return list(tensors((self.args, tuple(self.kwargs.values()))))


@dataclass(frozen=True)
class _Replay:
    """Calls a noted function again, on other tensors."""

    call: _Call
    part: int
    single: bool
    inplace: bool

    def __call__(self, *maps: Tensor) -> Tensor:
        given = iter([x.clone() for x in maps] if self.inplace else maps)
        args = _filled(self.call.args, given)
        values = _filled(tuple(self.call.kwargs.values()), given)
        kwargs = dict(zip(self.call.kwargs, values, strict=True))
        result = self.call.func(*args, **kwargs)
        return result if self.single else list(tensors(result))[self.part]


def _same(maps: Tensor) -> Tensor:
    return maps


def _filled(values: object, given: Iterator[Tensor]) -> object:
    """Put the maps given in the places of those that were there."""
    if values is MAP:
        return next(given)
    if type(values) in (tuple, list):
        return type(values)(_filled(value, given) for value in values)
    return values


def _classify(call: _Call, shapes: tuple, run: _Replay) -> tuple[str, Kernel | None]:
    """Say how a change spreads through an operation; the shape it gives is the last."""
    *before, after = shapes
    if any(len(shape) != 4 for shape in shapes):
        return "whole", None
    if len(before) == 1 and call.maps == 1:
        options = {name: value for name, value in call.kwargs.items() if name != "input"}
        kernel = kernel_of(call.name, call.args[1:], options, (before[0], after), run)
        if kernel is not None and after[2:] != (1, 1):
            return "window", kernel
    if not all(shape[2:] == after[2:] for shape in before):
        return "whole", None
    if call.name == "interpolate":
        return "place", None
    if call.name in UNITWISE and _picks_units(call):
        return "units", None
    if call.name not in POINTWISE or not _uniform(call):
        return "whole", None
    plain = call.name in SUMS and len(before) == 2 == len(call.args) and not call.kwargs
    return ("sum" if plain else "place"), None


def _uniform(call: _Call) -> bool:
    """Say whether an operation does the same at each place: its constants have no places."""
    if call.name in ("batch_norm", "prelu"):
        return not call.options.get("training", False)
    return all(x.ndim == 0 or (x.ndim > 2 and x.shape[-2:] == (1, 1)) for x in call.constants)


def _picks_units(call: _Call) -> bool:
    if call.name in ("cat", "concat"):
        return (call.args[1] if len(call.args) > 1 else call.kwargs.get("dim", 0)) in (1, -3)
    if call.name in ("chunk", "split"):
        return (call.args[2] if len(call.args) > 2 else call.kwargs.get("dim", 0)) in (1, -3)
    key = call.args[1] if call.name == "getitem" else None
    return (
        isinstance(key, tuple)
        and all(isinstance(k, slice) for k in key)
        and not any(slice(None) != k for i, k in enumerate(key) if i != 1)
    )
