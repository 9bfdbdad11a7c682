"""Trunks from elsewhere: any classifier of torchvision, any module that a function returns.

`torchvision:resnet18` is torchvision's network without its last linear layer. `my_nets:small` is
whatever the function `small` of the module `my_nets` returns, a network from images (B, 3, H, W)
to features (B, features) or maps (B, units, H, W). What a `Trunk` must know is found by showing
the network one grey image.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import torch
import torch.nn as nn
from torch import Tensor
from torchvision import models

from facelab_models.trunks.trunk import Trunk

TORCHVISION = "torchvision"
SEVERAL_HEADS = ("googlenet", "inception_v3")
SIZES_PX = (64, 224)
"""Sides of the image to try: some networks take no small ones."""


def foreign(name: str) -> Trunk:
    """Build the trunk called `library:function`, untrained.

    Raises ValueError, in one line, if there is no such module or function, if it gives no module,
    or if the module's output is neither features nor maps.
    """
    library, _, function = name.partition(":")
    if library == TORCHVISION:
        net, head = _published(function)
    else:
        net, head = _made(library, function), ""
    layers, output = _listen(net, name)
    if not isinstance(output, Tensor) or output.ndim not in (2, 4) or len(output) != 1:
        given = tuple(output.shape) if isinstance(output, Tensor) else f"a {type(output).__name__}"
        raise ValueError(
            f"trunk '{name}' turns 1 image into {given}; "
            "a trunk gives (B, features) or (B, units, H, W)"
        )
    return Trunk(net=net, features=output.shape[1], layers=layers, maps=output.ndim == 4, head=head)


def runs_code(name: str) -> bool:
    """Say whether building this trunk calls a function of the user's own."""
    return ":" in name and not name.startswith(f"{TORCHVISION}:")


def _published(function: str) -> tuple[nn.Module, str]:
    """Build a network of torchvision without its last linear layer, and name that layer."""
    choices = models.list_models(module=models)
    if function not in choices:
        raise ValueError(
            f"torchvision has no classifier '{function}'; choose from {', '.join(choices)}"
        )
    lone = {"aux_logits": False, "init_weights": False} if function in SEVERAL_HEADS else {}
    net = models.get_model(function, weights=None, **lone)
    linear = [name for name, module in net.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError(
            f"torchvision's {function} has no last linear layer; use the trunk '{function}'"
        )
    net.set_submodule(linear[-1], nn.Identity())
    return net, linear[-1]


def _made(library: str, function: str) -> nn.Module:
    try:
        with _current_folder():
            module = import_module(library)
    except Exception as error:
        raise ValueError(f"cannot import '{library}' for a trunk: {_line(error)}") from error
    made = getattr(module, function, None)
    if not callable(made):
        own = (n for n, v in vars(module).items() if getattr(v, "__module__", "") == library)
        there = ", ".join(name for name in own if not name.startswith("_")) or "none"
        raise ValueError(f"'{library}' has no function '{function}'; it has {there}")
    try:
        net = made()
    except Exception as error:
        raise ValueError(f"{library}:{function}() failed: {_line(error)}") from error
    if not isinstance(net, nn.Module):
        raise ValueError(f"{library}:{function}() gives a {type(net).__name__}, no torch.nn.Module")
    return net


@contextmanager
def _current_folder() -> Iterator[None]:
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _listen(net: nn.Module, name: str) -> tuple[tuple[str, ...], object]:
    """Show a grey image; give the layers with weights in the order they are called, and the output.

    Nothing is drawn and no batch statistic moves. A layer called more than once has no output of
    its own and is left out, as is one that is never called.
    """
    calls: list[str] = []
    kept = [
        module.register_forward_pre_hook(lambda *_, called=called: calls.append(called))
        for called, module in net.named_modules()
        if _has_weights(module) or isinstance(module, nn.Identity)
    ]
    modes = {module: module.training for module in net.modules()}
    try:
        output = _respond(net.eval(), name, calls)
    finally:
        for module, mode in modes.items():
            module.training = mode
        for hook in kept:
            hook.remove()
    once = [called for called, times in Counter(calls).items() if times == 1 and called]
    last = [called for called in once[-1:] if isinstance(net.get_submodule(called), nn.Identity)]
    weighted = [called for called in once if _has_weights(net.get_submodule(called))]
    return (*weighted, *last), output


def _has_weights(module: nn.Module) -> bool:
    own = module.parameters(recurse=False)
    return not list(module.children()) and any(weight.ndim > 1 for weight in own)


@torch.no_grad()
def _respond(net: nn.Module, name: str, calls: list[str]) -> object:
    reasons = []
    with torch.random.fork_rng(devices=[]):
        for size_px in SIZES_PX:
            calls.clear()
            try:
                return net(torch.full((1, 3, size_px, size_px), 0.5))
            except Exception as error:
                reasons.append(f"{size_px} px: {_line(error)}")
    raise ValueError(f"trunk '{name}' takes no images (1, 3, H, W): {'; '.join(reasons)}")


def _line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else 'no reason given'}"
