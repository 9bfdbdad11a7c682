"""What a trunk is, and where it can be cut.

A trunk maps images to features. `Trunk` holds the module and what the rest of the house needs to
know about it, so that the module itself may be anybody's.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch.nn as nn


@dataclass(frozen=True, kw_only=True)
class Trunk:
    """An architecture: the module, and what is known about it.

    Attributes
    ----------
    net : Module
        Maps images (B, 3 · eyes, H, W) to features (B, features), or to `maps` of them.
    features : int
        Numbers it gives for an image; units, if it gives maps.
    layers : tuple of str
        Submodules worth recording, in order of depth.
    eyes : int
        1; or 2, then images are (B, 6, H, W): left RGB, right RGB.
    maps : bool
        Whether its output is (B, features, H, W) and is yet to be averaged over space.
    head : str
        What the published network calls the last layer, which is not part of the trunk.
    classifier : callable, optional
        Number of classes to the published form of the last layers, where it is more than linear.
    """

    net: nn.Module
    features: int
    layers: tuple[str, ...]
    eyes: int = 1
    maps: bool = False
    head: str = ""
    classifier: Callable[[int], nn.Module] | None = None


def cut(trunk: Trunk, layer: str) -> tuple[nn.Module, nn.Sequential]:
    """Cut a trunk after a layer; give the part up to it and the rest, with their names kept.

    A trunk can be cut between the steps of its sequence. The last layer inside a residual block
    stands for the whole block, whose sum the next step sees. The rest is empty after the last
    layer, which is where any trunk can be cut. Raises ValueError at any other layer.
    """
    parts = steps(trunk.net)
    last = _last_steps(trunk, list(parts))
    if layer not in last:
        able = ", ".join(name for name in trunk.layers if name in last)
        problem = "cannot cut the trunk after" if layer in trunk.layers else "the trunk has no"
        raise ValueError(f"{problem} layer '{layer}'; it can be cut after {able}")
    if "" in parts:
        return trunk.net, nn.Sequential()
    names = list(parts)[: last[layer] + 1]
    rest = {name: step for name, step in parts.items() if name not in names}
    return _nest({name: parts[name] for name in names}), _nest(rest)


def steps(net: nn.Module, prefix: str = "") -> dict[str, nn.Module]:
    """Name the steps that a network takes one after another, looking into plain sequences.

    A network that is no sequence is one step, called "".
    """
    if type(net).forward is not nn.Sequential.forward:
        return {prefix.removesuffix("."): net}
    found: dict[str, nn.Module] = {}
    for name, child in net.named_children():
        found |= steps(child, f"{prefix}{name}.")
    return found


def _last_steps(trunk: Trunk, names: list[str]) -> dict[str, int]:
    """Map each layer that ends a step, a sequence of steps or the trunk to that step's place."""
    last = {}
    for place, step in enumerate(names):
        parts = step.split(".")
        last |= {".".join(parts[:depth]): place for depth in range(1, len(parts) + 1) if step}
        if inside := [layer for layer in trunk.layers if layer.startswith(f"{step}.")]:
            last[inside[-1]] = place
    return last | dict.fromkeys(trunk.layers[-1:], len(names) - 1)


def _nest(parts: Mapping[str, nn.Module]) -> nn.Sequential:
    """Build the sequence whose steps have these dotted names."""
    groups: OrderedDict[str, dict[str, nn.Module]] = OrderedDict()
    for name, step in parts.items():
        top, _, below = name.partition(".")
        groups.setdefault(top, {})[below] = step
    return nn.Sequential(
        OrderedDict((t, group[""] if "" in group else _nest(group)) for t, group in groups.items())
    )
