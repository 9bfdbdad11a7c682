"""Residual trunks with two eyes.

The left and the right image pass through the same weights up to a stage, where the units of both
eyes are put side by side; `resnet6_binocular1` joins them after stage 1, `…0` after the stem. The
monocular layers show the units of the left eye, then those of the right.
"""

from collections.abc import Callable
from functools import partial

from facelab_models.trunks.resnet import SIX, TEN, Stages, resnet, thin
from facelab_models.trunks.trunk import Trunk

ONE_EYED: dict[str, tuple[int, Stages]] = {
    "resnet6": (64, SIX),
    "resnet6_thin": (16, thin(SIX)),
    "resnet10": (64, TEN),
    "resnet10_thin": (16, thin(TEN)),
}

BINOCULAR: dict[str, Callable[[], Trunk]] = {
    f"{name}_binocular{joined}": partial(resnet, stem, stages, joined=joined)
    for name, (stem, stages) in ONE_EYED.items()
    for joined in range(len(stages) + 1)
}
