"""The scale of a network's activations, which its weights brought along from elsewhere.

Weights that were learned from pixels of 0 … 255, as Caffe's were, carry that scale through all
layers. No answer depends on it, but fine-tuning does: features fifty times too large give a new
head answers, and the trunk gradients, from which the first steps at a usual learning rate undo what
was learned.
"""

import math

import torch
import torch.nn as nn
from torch import Tensor

from facelab_models.network import FaceNet

TRIED_PX = 224
TOLERANCE = 1e-3


def divide(net: FaceNet, scale: float) -> None:
    """Divide all activations of a trunk, and of its branches, by `scale`.

    The weights that meet the pixels and every bias are divided. That does it where each layer's
    output grows in proportion to its input and bias, as with ReLU, pooling and dropout. Whether it
    did is tried with an image of noise; heads stay as they are.

    Raises
    ------
    ValueError
        When the scale is not above 0; or, with the network as it was, when its activations do not
        follow: there is a batch norm, or another layer with a scale of its own.
    """
    if not 0 < scale < math.inf:
        raise ValueError(f"the scale of weights is above 0, not {scale}")
    if scale == 1:
        return
    parts = (net.trunk, net.branches)
    touched = [_first(net.trunk), *(p for part in parts for p in _biases(part))]
    before, kept = _features(net), [parameter.detach().clone() for parameter in touched]
    with torch.no_grad():
        for parameter in touched:
            parameter /= scale
        follow = all(_agree(*pair, scale) for pair in zip(before, _features(net), strict=True))
        if follow and not _learns_a_scale(net):
            return
        for parameter, value in zip(touched, kept, strict=True):
            parameter.copy_(value)
    raise ValueError(
        f"the activations of '{net.spec.trunk}' cannot be divided by {scale}: "
        "a layer has a scale of its own, as batch norm has; 1 leaves them as they are"
    )


def _first(trunk: nn.Module) -> nn.Parameter:
    """Give the weights that meet the pixels."""
    return next(parameter for parameter in trunk.parameters() if parameter.ndim > 1)


def _biases(part: nn.Module) -> list[nn.Parameter]:
    return [value for name, value in part.named_parameters() if name.rpartition(".")[2] == "bias"]


def _learns_a_scale(net: FaceNet) -> bool:
    """Tell whether a batch norm is there: one that has seen nothing yet looks like none."""
    return any(name.endswith("running_var") for name, _ in net.named_buffers())


def _features(net: FaceNet) -> list[Tensor]:
    """Show noise; give what the heads would be given."""
    noise = torch.Generator().manual_seed(0)
    side = net.spec.size_px or TRIED_PX
    images = torch.rand(1, 3 * net.eyes, side, side, generator=noise)
    was_training = net.training
    with torch.inference_mode():
        shared = net.eval().trunk(net.normalise(images.to(net.normalise.mean.device)))
        features = [branch(shared) for branch in net.branches.values()] or [shared]
    net.train(was_training)
    return features


def _agree(before: Tensor, after: Tensor, scale: float) -> bool:
    """Tell whether features, seen relative to the largest of them, were divided by the scale."""
    largest = before.abs().max()
    return bool(((after * scale - before).abs() <= TOLERANCE * largest).all())
