"""Classes told apart by angle: the additive angular margin (ArcFace, Deng et al. 2019).

The head compares directions only. It embeds the features in 512 numbers and answers the cosine of
the embedding with each class's own direction. In training the angle to the true class is made
larger by a margin, so that faces of one person end up closer together than the answer alone asks
for; a network is judged by its cosines as they are.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

SCALE = 64.0
MARGIN = 0.5  # radians
EMBEDDING = 512
DROPOUT = 0.5


class CosineHead(nn.Module):
    """Embed features and compare them with a direction per class.

    Batch norm, dropout, a linear map to 512 numbers and batch norm again, as in deep-gmf and in
    ArcFace's option E.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(features)
        self.dropout = nn.Dropout(DROPOUT)
        self.embed = nn.Linear(features, EMBEDDING)
        self.standardise = nn.BatchNorm1d(EMBEDDING)
        self.weight = nn.Parameter(torch.empty(classes, EMBEDDING))
        nn.init.xavier_normal_(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, features) to cosines (B, classes), computed in float32 whatever the rest is."""
        embedded = self.standardise(self.embed(self.dropout(self.norm(features))))
        with torch.autocast(embedded.device.type, enabled=False):
            directions = F.normalize(self.weight)
            return F.linear(F.normalize(embedded.to(directions.dtype)), directions)


def widen(cosines: Tensor, classes: Tensor) -> Tensor:
    """Enlarge the angle to the true class by the margin.

    cos θ becomes cos(θ + m) while θ + m stays below π, and beyond that cos θ − m sin m, which
    goes on falling as θ grows.

    Parameters
    ----------
    cosines : (B, classes)
    classes : (B,)
        An image without a class (−1) keeps its cosines.
    """
    labelled = (classes >= 0).unsqueeze(1)
    true = classes.clamp(min=0).unsqueeze(1)
    cosine = cosines.gather(1, true)
    sine = (1 - cosine.square()).clamp(min=1e-12).sqrt()  # above 0, where its slope is finite
    turned = cosine * math.cos(MARGIN) - sine * math.sin(MARGIN)
    beyond = cosine - MARGIN * math.sin(MARGIN)
    moved = torch.where(cosine > math.cos(math.pi - MARGIN), turned, beyond)
    return cosines.scatter(1, true, torch.where(labelled, moved, cosine))
