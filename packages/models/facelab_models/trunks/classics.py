"""AlexNet, VGG16 and SqueezeNet: torchvision's modules, under torchvision's names.

So published weights fit, and with the head that belongs to them a network gives the logits that
torchvision's gives. Layers worth recording are the ReLUs, the poolings and the fire modules.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import torch.nn as nn
from torchvision import models

from facelab_models.trunks.trunk import Trunk, steps


def with_hidden_layers(make: Callable[..., nn.Module]) -> Trunk:
    """Build AlexNet or a VGG up to the second fully connected layer."""
    whole = make(weights=None)
    parts = OrderedDict(
        features=whole.features,
        avgpool=whole.avgpool,
        flatten=nn.Flatten(),
        classifier=whole.classifier[:-1],
    )
    last = whole.classifier[-1]
    net = nn.Sequential(parts)
    head = f"classifier.{len(whole.classifier) - 1}"
    return Trunk(net=net, features=last.in_features, layers=_layers(net), head=head)


def squeezenet(make: Callable[..., nn.Module]) -> Trunk:
    """Build a SqueezeNet up to its last maps; its own head averages a convolution of them."""
    net = nn.Sequential(OrderedDict(features=make(weights=None).features))
    return Trunk(
        net=net,
        features=512,
        layers=_layers(net),
        maps=True,
        head="classifier",
        classifier=partial(_convolutional_head, 512),
    )


def _convolutional_head(features: int, classes: int) -> nn.Module:
    convolution = nn.Conv2d(features, classes, 1)
    nn.init.normal_(convolution.weight, std=0.01)
    nn.init.zeros_(convolution.bias)
    return nn.Sequential(
        nn.Dropout(), convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )


def _layers(net: nn.Module) -> tuple[str, ...]:
    kinds = (nn.ReLU, nn.MaxPool2d, models.squeezenet.Fire)
    return tuple(name for name, step in steps(net).items() if isinstance(step, kinds))


CLASSICS: dict[str, Callable[[], Trunk]] = {
    "alexnet": partial(with_hidden_layers, models.alexnet),
    "vgg16": partial(with_hidden_layers, models.vgg16),
    "squeezenet1_0": partial(squeezenet, models.squeezenet1_0),
    "squeezenet1_1": partial(squeezenet, models.squeezenet1_1),
}
