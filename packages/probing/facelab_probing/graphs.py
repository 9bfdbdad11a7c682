"""A network as a short list of steps that can be replayed, and what follows from it.

The steps are those overheard while the network saw one image, without the ones no layer asked for
depends on; batch norms are folded into the convolutions before them. They are replayed on other
images: a network that they do not reproduce is refused, and must be asked as a whole.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
import torch.nn as nn
from torch import Tensor

from facelab_probing.hooks import tap
from facelab_probing.overhearing import Noting, Step
from facelab_probing.responses import evaluating

ALIKE = ("elu", "gelu", "hardtanh", "leaky_relu", "relu", "sigmoid", "silu", "tanh")
"""Operations that know nothing of units."""
CLOSE = 1e-4
"""How far a replay may be from the network, as a part of the layer's largest response."""
TRIALS = 3
"""Images a replay is checked on: a network must not depend on how many there are."""
STATEFUL = ("gru", "lstm", "rnn_relu", "rnn_tanh")
"""Operations that are noted with a state of as many rows as there were images: not replayed."""


class ReplayError(RuntimeError):
    """What was overheard is not all that the network does."""


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The steps from an image to some layers, in order, and the map that each layer gives."""

    steps: tuple[Step, ...]
    layers: dict[str, int]

    def upto(self, layer: str) -> "Graph":
        """Leave out what this layer does not depend on."""
        number = self.layers[layer]
        return Graph(steps=tuple(_needed(list(self.steps), {number})), layers={layer: number})

    def only(self, layer: str, unit: int) -> tuple["Graph", set[int]]:
        """Compute one unit of a layer, if what leads to it from a convolution leads nowhere else.

        Returns
        -------
        graph : Graph
        narrowed : set of int
            The maps that now have this unit alone; empty if that is not possible.
        """
        made = {step.output: step for step in self.steps}
        taken = [number for step in self.steps for number in step.inputs]
        narrowed, number = {self.layers[layer]}, self.layers[layer]
        while (step := made.get(number)) and _unitwise(step):
            number = step.inputs[0]
            if taken.count(number) > 1:
                return self, set()
            narrowed.add(number)
        if not step or not step.kernel or step.kernel.pooling or step.kernel.groups > 1:
            return self, set()
        kernel = step.kernel.only(unit)
        last = replace(step, kernel=kernel, run=kernel.apply)
        steps = tuple(last if one is step else one for one in self.steps)
        return replace(self, steps=steps), narrowed

    def respond(self, images: Tensor) -> dict[int, Tensor]:
        """Run all steps on images (n, 3, H, W); give every map by its number."""
        maps = {0: images}
        for step in self.steps:
            maps[step.output] = step.run(*(maps[number] for number in step.inputs))
        return maps


@torch.no_grad()
def overhear(net: nn.Module, layers: Iterable[str], image: Tensor) -> Graph:
    """Find the steps from an image (1, channels, H, W) to the layers; fold batch norms.

    The network is left as it was.

    Raises
    ------
    ValueError
        If the network has no such layer, or it is called more than once or never, or does not
        depend on the image.
    ReplayError
        If the steps do not reproduce the network.
    """
    layers = list(layers)
    noting = Noting(image)
    with evaluating(net), tap(net, layers, lambda _, out: noting.number(out)) as found, noting:
        net(image)
    for layer in layers:
        if found.get(layer) is None:
            problem = "is not called" if layer not in found else "does not depend on the image"
            raise ValueError(f"layer {layer!r} {problem}; it has no discrepancy map")
    numbers = {layer: found[layer] for layer in layers}
    graph = Graph(steps=tuple(_needed(noting.steps, set(numbers.values()))), layers=numbers)
    if stateful := [step.name for step in graph.steps if step.name in STATEFUL]:
        raise ReplayError(f"{stateful[0]} cannot be replayed: its state is that of one image")
    graph = replace(graph, steps=tuple(_merged(list(graph.steps), set(numbers.values()))))
    _verify(net, graph, image)
    return graph


def trials(image: Tensor) -> Tensor:
    """Make images (TRIALS, C, H, W) like one (1, C, H, W): a dark one, a middling, a bright."""
    waves = torch.linspace(-2, 2, TRIALS * image.numel(), dtype=torch.float64).mul(1e4).sin()
    darkest = torch.linspace(0, 0.5, TRIALS, dtype=torch.float64).view(-1, 1, 1, 1)
    return (waves.view(TRIALS, *image.shape[1:]).add(1).div(4) + darkest).to(image)


def _unitwise(step: Step) -> bool:
    """Say whether a step does the same to each unit, and to each alone."""
    pools = step.kernel is not None and bool(step.kernel.pooling)
    return pools or (step.kind == "place" and step.name in ALIKE)


def _needed(steps: list[Step], wanted: set[int]) -> list[Step]:
    """Leave out the steps that no wanted map depends on."""
    kept, wanted = [], set(wanted)
    for step in reversed(steps):
        if step.output in wanted:
            kept.append(step)
            wanted.update(step.inputs)
    return kept[::-1]


def _merged(steps: list[Step], heard: set[int]) -> list[Step]:
    """Merge each step into the one before it where no other step or layer hears what lies between.

    A batch norm goes into its convolution; operations that leave each place to itself are joined.
    """
    taken = [number for step in steps for number in step.inputs]
    made: dict[int, Step] = {}
    for step in steps:
        before = made.get(step.inputs[0]) if len(step.inputs) == 1 else None
        alone = before and taken.count(before.output) == 1 and before.output not in heard
        both = _both(before, step) if alone and step.kind == "place" else None
        if both:
            del made[before.output]
        made[step.output] = both or step
    return list(made.values())


def _both(first: Step, second: Step) -> Step | None:
    """Make one step of two; None if it cannot be done."""
    if first.kind == "place":
        run = _Chain(first.run, second.run)
        return replace(first, name="chain", output=second.output, run=run, options={})
    if second.options and first.kernel and first.kernel.weight is not None:
        kernel = first.kernel.scaled(*_affine(second.options))
        return replace(first, run=kernel.apply, kernel=kernel, output=second.output)
    return None


@dataclass(frozen=True)
class _Chain:
    first: Callable[..., Tensor]
    second: Callable[[Tensor], Tensor]

    def __call__(self, *maps: Tensor) -> Tensor:
        return self.second(self.first(*maps))


def _affine(options: dict) -> tuple[Tensor, Tensor]:
    """Give the factor and the offset that an evaluating batch norm amounts to, in float64."""
    mean, variance = options["running_mean"].double(), options["running_var"].double()
    weight, bias = options.get("weight"), options.get("bias")
    factor = (variance + options.get("eps", 1e-5)).rsqrt()
    factor = factor if weight is None else factor * weight.double()
    offset = -mean * factor
    return factor, offset if bias is None else offset + bias.double()


def _verify(net: nn.Module, graph: Graph, image: Tensor) -> None:
    """Raise ReplayError unless the steps do what the network does, on several images at once."""
    images = trials(image)
    with evaluating(net), tap(net, graph.layers) as heard:
        net(images)
    try:
        maps = graph.respond(images)
    except (RuntimeError, IndexError) as error:
        raise ReplayError(f"the steps cannot be replayed: {str(error).splitlines()[0]}") from error
    for layer, number in graph.layers.items():
        there, here = heard[layer], maps[number]
        if there.shape != here.shape or (there - here).abs().max() > CLOSE * there.abs().max():
            raise ReplayError(f"the steps, replayed, do not give what layer {layer!r} gives")
