"""Angles in degrees, where −180 and 180 are one direction.

An angle is answered as the direction of a point (cosine, sine) and judged by the cosine of its
error: no seam, wherever the circle is cut.
"""

import torch
import torch.nn as nn
from torch import Tensor


class AngleHead(nn.Linear):
    """A linear map to a cosine and a sine for each angle, answered in degrees."""

    def __init__(self, features: int, angles: int) -> None:
        super().__init__(features, 2 * angles)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, features) to (B, angles), in (−180, 180]."""
        cosine, sine = super().forward(features).float().chunk(2, dim=1)
        return torch.atan2(sine, cosine).rad2deg()


def squared_chord(answers: Tensor, angles: Tensor) -> Tensor:
    """Return 2 (1 − cos error): the squared distance between two points of the unit circle.

    For small errors it is the squared error in radians; nan where the angle is missing.
    """
    return 2 * (1 - torch.deg2rad(answers - angles).cos())


def circular_r2(answers: Tensor, angles: Tensor) -> float:
    """Return the share of circular variance that is explained, averaged over angles.

    One minus the mean of (1 − cos error), divided by the same mean for the best constant answer,
    the mean direction: the circular variance 1 − R (Mardia & Jupp 2000, Directional statistics).
    1 for a perfect network, 0 for one that always answers the mean direction.

    Parameters
    ----------
    answers, angles : (N, K), degrees
        Missing angles are nan.
    """
    present = ~angles.isnan()
    count = present.sum(dim=0)
    radians = torch.deg2rad(angles.double()).masked_fill(~present, 0)
    cosine = radians.cos().masked_fill(~present, 0).sum(dim=0) / count
    sine = radians.sin().masked_fill(~present, 0).sum(dim=0) / count
    error = squared_chord(answers.double(), angles.double()).masked_fill(~present, 0)
    return (1 - error.sum(dim=0) / (2 * count) / (1 - torch.hypot(cosine, sine))).mean().item()
