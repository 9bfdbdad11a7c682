"""Whether a network and a layer can have discrepancy maps at all.

A map compares an image with itself under occluders, many of them in one batch. So an image must
always be answered alike, whatever else is in the batch, and a layer must give units, or maps of
them.
"""

from collections.abc import Sequence

import torch
import torch.nn as nn
from torch import Tensor

from facelab_probing.graphs import CLOSE, trials
from facelab_probing.hooks import find, tap
from facelab_probing.responses import evaluating

UNITS_LAST = (nn.LayerNorm, nn.Linear)


@torch.no_grad()
def check(net: nn.Module, layers: Sequence[str], image: Tensor) -> None:
    """Ask about images like one (1, C, H, W): twice, and each alone.

    Raises
    ------
    ValueError
        If a layer gives neither units (n, U) nor maps (n, C, H, W), or answers the same images
        differently from one time to the next, or differently among others.
    """
    images = trials(image)
    first = _ask(net, layers, images)
    for layer, response in first.items():
        _check_shape(layer, find(net, layer), response)
    again = _ask(net, layers, images)
    alone = [_ask(net, layers, one) for one in images.split(1)]
    for layer, response in first.items():
        if not _alike(response, again[layer]):
            raise ValueError(
                f"layer {layer!r} answers the same images differently each time (noise, or dropout "
                "that evaluation does not turn off?); it has no discrepancy map"
            )
        if not _alike(response, torch.cat([one[layer] for one in alone])):
            raise ValueError(
                f"layer {layer!r} answers an image differently among others (statistics of the "
                "batch?); it has no discrepancy map"
            )


def _ask(net: nn.Module, layers: Sequence[str], images: Tensor) -> dict[str, Tensor]:
    with evaluating(net), tap(net, layers) as heard:
        net(images)
    return dict(heard)


def _check_shape(layer: str, module: nn.Module, response: Tensor) -> None:
    last = response.ndim == 4 and isinstance(module, UNITS_LAST)
    if response.ndim not in (2, 4) or last:
        raise ValueError(
            f"layer {layer!r} gives {tuple(response.shape[1:])} for an image; a discrepancy map is "
            "of units (U,), or of maps (C, H, W) of them"
        )


def _alike(response: Tensor, other: Tensor) -> bool:
    most = CLOSE * float(response.nan_to_num().abs().max())
    return torch.allclose(response, other, rtol=0, atol=most, equal_nan=True)
