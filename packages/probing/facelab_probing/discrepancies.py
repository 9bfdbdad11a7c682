"""Discrepancy maps, and how they are gathered from what occluders change.

A layer's map shows a unit many times, in many places; one number is kept for each unit and
occluder. Which one is the occluder's `reduction`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from facelab_probing.changes import Change, Level
from facelab_probing.occluders import Occluder
from facelab_probing.sweeps import Paint


@dataclass(frozen=True, kw_only=True)
class Maps:
    """Discrepancy maps of units of a layer for one image.

    Attributes
    ----------
    drops : array, (units, rows, columns)
        How much the response falls under each occluder; negative where it grows.
    units : array, (units,)
    responses : array, (units,)
        The largest response in each unit's map, without occluder.
    places : array, (units, 2)
        Row and column in the map where that is, the first in raster order; 0 without a map.
    rows, columns : array, (rows,), (columns,)
        First pixel of each occluder.
    size_px : int
        Side of the occluders.
    computed : str
        "incremental", or "dense: " and why.
    errors : array, (units,)
        How far off drops are that were interpolated, at most where that was checked, as a part of
        the unit's largest drop; 0 where every occluder was tried.
    """

    drops: np.ndarray
    units: np.ndarray
    responses: np.ndarray
    places: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    size_px: int
    computed: str
    errors: np.ndarray

    def only(self, units: Sequence[int]) -> "Maps":
        """Keep some units, in this order."""
        names, units = ("drops", "units", "responses", "places", "errors"), list(units)
        return replace(self, **{name: getattr(self, name)[units] for name in names})

    def painted(self, side_px: tuple[int, int]) -> np.ndarray:
        """Give each pixel the mean drop of the occluders that cover it, (units, height, width).

        As captum's Occlusion does; pixels that none covers are 0.
        """
        down, along = (
            ((inside := np.arange(side)[:, None] - starts) >= 0) & (inside < self.size_px)
            for side, starts in zip(side_px, (self.rows, self.columns), strict=True)
        )
        sums = np.einsum("hr,urc,wc->uhw", down, self.drops, along, optimize=True)
        return sums / (down.sum(1)[:, None] * along.sum(1)).clip(1)


def check_finite(layer: str, drops: Tensor) -> None:
    """Raise ValueError, naming the layer, unless all its drops are finite numbers."""
    if not torch.isfinite(drops).all():
        raise ValueError(f"a response of layer {layer!r} under an occluder is not a finite number")


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """The maps of a layer while they are filled in; its attributes are tensors as in `Maps`."""

    drops: Tensor
    responses: Tensor
    places: Tensor
    flat: Tensor
    occluder: Occluder

    @classmethod
    def empty(cls, level: Tensor, paint: Paint, occluder: Occluder) -> "Gathering":
        """Begin with no drop anywhere, for a layer's response (1, C, H, W) or (1, U)."""
        flat = level[0].reshape(level.shape[1], -1)
        responses = flat.amax(1)
        first = (flat == responses[:, None]).int().argmax(1)  # in raster order
        width = level.shape[3] if level.ndim == 4 else 1
        return cls(
            drops=torch.zeros(
                len(flat), len(paint.rows), len(paint.columns), dtype=responses.dtype
            ),
            responses=responses,
            places=torch.stack([first // width, first % width], dim=1),
            flat=first,
            occluder=occluder,
        )

    def fill(
        self, where: tuple[np.ndarray, np.ndarray], changed: Change | Tensor, level: Level
    ) -> None:
        """Take in what the occluders in these rows and columns did to the layer's map."""
        rows, columns = where
        if isinstance(changed, Change):
            falls = self._in_window(changed, level.side)
        else:
            falls = self._everywhere((level.maps - changed).flatten(2 if changed.ndim > 2 else 1))
        falls = falls.view(len(rows), len(columns), -1).permute(2, 0, 1)
        self.drops[:, rows[:, None], columns] = falls.to(self.drops)

    def _everywhere(self, falls: Tensor) -> Tensor:
        if self.occluder.reduction == "absolute":
            falls = falls.abs()
        if falls.ndim == 2:  # no map
            return falls
        if self.occluder.reduction == "at_maximum":
            return falls.gather(2, self.flat.expand(len(falls), -1)[:, :, None])[:, :, 0]
        return falls.amax(2)

    def _in_window(self, changed: Change, side: tuple[int, int]) -> Tensor:
        values, window = changed.values, changed.window
        if self.occluder.reduction == "absolute":
            return values.abs().amax((1, 2))
        if self.occluder.reduction == "largest":
            falls = values.amin((1, 2)).neg_()
            return falls.clamp_(min=0) if window.size != side else falls  # 0 elsewhere
        down = self.places[:, 0] - window.rows[:, None]
        along = self.places[:, 1] - window.columns[:, None]
        height, width = window.size
        inside = (down >= 0) & (down < height) & (along >= 0) & (along < width)
        place = (down * width + along).masked_fill_(~inside, 0)
        falls = values.flatten(1, 2).gather(1, place[:, None])[:, 0]
        return falls.neg_().masked_fill_(~inside, 0)

    def maps(self, paint: Paint, computed: str) -> Maps:
        """Give what has been gathered, as arrays."""
        return Maps(
            drops=self.drops.numpy(),
            units=np.arange(len(self.drops)),
            responses=self.responses.cpu().numpy(),
            places=self.places.cpu().numpy(),
            rows=paint.rows,
            columns=paint.columns,
            size_px=paint.squares.shape[2],
            computed=computed,
            errors=np.zeros(len(self.drops)),
        )
