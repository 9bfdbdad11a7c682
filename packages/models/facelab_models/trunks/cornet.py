"""CORnet-Z: four areas of the ventral stream, a convolution each (Kubilius et al. 2018)."""

from collections import OrderedDict
from collections.abc import Callable

import torch.nn as nn

from facelab_models.trunks.blocks import GlobalPool, draw_weights
from facelab_models.trunks.trunk import Trunk

AREAS = ("v1", "v2", "v4", "it")


def cornet_z(units: tuple[int, int, int, int]) -> Trunk:
    """Build the areas V1, V2, V4 and IT with these numbers of units, and the average over space.

    An area is a convolution (7×7 with stride 2 in V1, else 3×3), ReLU, and a 3×3 maximum with
    stride 2. There is no batch norm. Weights are drawn as He et al. 2015, biases are 0.
    """
    parts, width = OrderedDict(), 3
    for area, outputs in zip(AREAS, units, strict=True):
        kernel_px, stride = (7, 2) if area == "v1" else (3, 1)
        conv = nn.Conv2d(width, outputs, kernel_px, stride, padding=kernel_px // 2)
        pool = nn.MaxPool2d(3, stride=2, padding=1)
        parts[area] = nn.Sequential(OrderedDict(conv=conv, relu=nn.ReLU(), pool=pool))
        width = outputs
    net = nn.Sequential(OrderedDict(**parts, pool=GlobalPool()))
    draw_weights(net)
    return Trunk(net=net, features=width, layers=(*AREAS, "pool"))


CORNETS: dict[str, Callable[[], Trunk]] = {
    "cornet_z": lambda: cornet_z((64, 128, 256, 512)),
    "cornet_z_thin": lambda: cornet_z((16, 32, 64, 128)),
}
