"""Recurrent trunks: bottom-up, lateral and top-down connections, unrolled over time.

After Spoerer et al. 2017 (BLT networks), with recurrence that multiplies instead of adding: what
an area receives from below is scaled by what it and the area above it answered a moment ago. The
scale saturates, between 0 and 2: a product of products would outgrow all numbers before training.
"""

from collections.abc import Callable
from itertools import pairwise

import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from facelab_models.trunks.blocks import GlobalPool, draw_weights
from facelab_models.trunks.trunk import Trunk

STEPS = 5


class Recurrent(nn.Module):
    """Areas that answer several times, each time in the light of the last.

    At time t an area answers
    relu(norm(up(below at t) · (1 + tanh(own at t−1 + down(above at t−1))))).
    Connections are the same at all times; batch norm has its own statistics for each (Spoerer et
    al. 2020). The last area's last answer is averaged over space. Submodule `t2.area3` is the
    third area at the second time.
    """

    def __init__(self, units: tuple[int, ...], times: int) -> None:
        super().__init__()
        first = nn.Conv2d(3, units[0], 7, stride=2, padding=3, bias=False)
        pairs = list(pairwise(units))
        later = [nn.Conv2d(below, above, 3, padding=1, bias=False) for below, above in pairs]
        self.up = nn.ModuleList([first, *later])
        self.down = nn.ModuleList(
            [nn.Conv2d(above, below, 1, bias=False) for below, above in pairs]
        )
        self.shrink = nn.MaxPool2d(3, stride=2, padding=1)
        for time in range(1, times + 1):
            areas = {
                f"area{place}": nn.Sequential(nn.BatchNorm2d(width), nn.ReLU())
                for place, width in enumerate(units, 1)
            }
            self.add_module(f"t{time}", nn.ModuleDict(areas))
        self.pool = GlobalPool()
        self.times = times
        draw_weights(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to features (B, units of the last area)."""
        seen = self.up[0](images)
        answers: list[Tensor] = []
        for time in range(1, self.times + 1):
            before, answers = answers, []
            for place, answer in enumerate(self.get_submodule(f"t{time}").values()):
                drive = self.up[place](self.shrink(answers[-1])) if place else seen
                answers.append(answer(drive * self._gain(drive, place, before)))
        return self.pool(answers[-1])

    def _gain(self, drive: Tensor, place: int, before: list[Tensor]) -> Tensor | int:
        """Give the factor that the answers of a moment ago put on an area's drive."""
        if not before:
            return 1
        context = before[place]
        if place < len(self.down):
            above = self.down[place](before[place + 1])
            context = context + F.interpolate(above, size=drive.shape[-2:])
        return 1 + context.tanh()


def recurrent(units: tuple[int, ...], times: int = STEPS) -> Trunk:
    """Build a recurrent trunk of areas with these numbers of units."""
    areas = [
        f"t{time}.area{place + 1}" for time in range(1, times + 1) for place in range(len(units))
    ]
    return Trunk(net=Recurrent(units, times), features=units[-1], layers=(*areas, "pool"))


RECURRENT: dict[str, Callable[[], Trunk]] = {
    "blt": lambda: recurrent((32, 64, 128, 256)),
    "blt_thin": lambda: recurrent((8, 16, 32, 64)),
}
