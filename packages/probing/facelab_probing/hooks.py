"""Listening to a network, and speaking to it, one layer at a time.

`tap` reads the output of named layers; `edit` replaces it. Every probe in this
package is built on these two, so hooks are set and removed in one place only.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from functools import partial

import torch.nn as nn
from torch import Tensor

LISTED = 12
"""How many layer names an error lists before it shortens."""


def _copy(_: str, output: Tensor) -> Tensor:
    return output.clone()


@contextmanager
def tap(
    net: nn.Module,
    layers: Iterable[str],
    keep: Callable[[str, Tensor], object] = _copy,
) -> Iterator[dict[str, Tensor]]:
    """While open, keep the latest output of each named layer.

    A copy is kept, because an in-place layer may follow.

    Parameters
    ----------
    net : Module
        Called as a whole: one call of `net` is one pass.
    layers : iterable of str
        Dotted names, as in ``net.named_modules()``.
    keep : callable, optional
        Makes what is kept from the layer's name and its output.

    Raises
    ------
    ValueError
        If the network has no such layer, a layer speaks twice in one pass, or its output is not
        a single tensor.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> with tap(net, ["0"]) as outputs:
    ...     _ = net(torch.ones(5, 2))
    >>> outputs["0"].shape
    torch.Size([5, 3])
    """
    outputs: dict[str, Tensor] = {}

    def hear(name: str, output: Tensor) -> None:
        if name in outputs:
            raise ValueError(
                f"layer {name!r} is called more than once in one pass, so its output is "
                "ambiguous; choose a layer that contains one of the calls"
            )
        outputs[name] = keep(name, output)

    with ExitStack() as hooks:
        fresh = net.register_forward_pre_hook(lambda *_: outputs.clear())
        hooks.callback(fresh.remove)
        for name in layers:
            hooks.enter_context(edit(net, name, partial(hear, name)))
        yield outputs


@contextmanager
def edit(net: nn.Module, layer: str, change: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """While open, pass the layer's output through `change`; None leaves it be.

    Raises
    ------
    ValueError
        If the network has no such layer, or its output is not a single tensor.
    """

    def hook(_: nn.Module, __: tuple[object, ...], output: object) -> Tensor | None:
        if not isinstance(output, Tensor):
            raise ValueError(
                f"layer {layer!r} returns a {type(output).__name__}, not a tensor; "
                "choose a layer inside it that returns one tensor"
            )
        return change(output)

    handle = find(net, layer).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def find(net: nn.Module, layer: str) -> nn.Module:
    """Find the module called `layer`; "" is the network itself.

    Raises
    ------
    ValueError
        If there is none; the message lists the layers there are.
    """
    modules = dict(net.named_modules(remove_duplicate=False))
    if layer in modules:
        return modules[layer]
    names = [name for name in modules if name]
    listed = ", ".join(names[:LISTED])
    if len(names) > LISTED:
        near = ", ".join(get_close_matches(layer, names, n=3)) or names[LISTED // 2]
        listed = f"{', '.join(names[:3])} … {near} … {names[-1]} ({len(names)} layers)"
    raise ValueError(f"unknown layer {layer!r}; this network has {listed or 'no layers'}")
