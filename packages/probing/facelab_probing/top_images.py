"""The images that excite each unit most, and where in them, from one pass over any number.

Memory does not depend on the number of images, nor the result on their order or how they are put
into batches: of equal responses the lower image id, then the first place in raster order, counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor

from facelab_probing.responses import Blocks, peek, show, survey

POOLINGS = ("maximum", "mean")


@dataclass(frozen=True, kw_only=True)
class TopImages:
    """The k images that excite each unit of a layer most, the best first.

    Attributes
    ----------
    ids : array, (units, k), int64
        Of the images; −1 where there were fewer than k.
    responses : array, (units, k), float32
        Largest, or mean, response in the unit's map; −inf where there were fewer.
    rows, columns : array, (units, k), int64
        Where in the map the response is largest, the first in raster order; 0 without a map.
    """

    ids: np.ndarray
    responses: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def top_images(
    net: nn.Module,
    blocks: Blocks,
    layers: Sequence[str],
    k: int,
    *,
    pooling: str = "maximum",
    batch: int = 64,
) -> dict[str, TopImages]:
    """Find each unit's k best images, for all layers in one pass.

    Parameters
    ----------
    net : Module
        Asked in evaluation mode, and left as it was.
    blocks : iterable of (array (n,), array (n, H, W, 3))
        Image ids, no two alike, and images uint8.
    layers : sequence of str
    k : int
    pooling : str
        What a unit's response to an image is: "maximum" or "mean" over the places of its map.
    batch : int
        Most images in a pass.

    Raises
    ------
    ValueError
        If a layer is unknown or unfit, the pooling is unknown, k is below 1, or a unit's response
        is not a number.
    """
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}; choose from {', '.join(POOLINGS)}")
    if k < 1:
        raise ValueError(f"k is 1 or more, not {k}")
    size_px, blocks = peek(blocks)
    found = survey(net, layers, size_px)
    best = {layer: _Best(layer, found.shapes[layer], k, pooling) for layer in layers}
    waiting: list[np.ndarray] = []

    def batches() -> Iterator[tuple[int, np.ndarray]]:
        for ids, images in blocks:
            for start in range(0, len(ids), batch):
                waiting[:] = [ids[start : start + batch]]
                yield start, images[start : start + batch]

    hear = {
        layer: lambda _, response, one=one: one.take(waiting[0], response)
        for layer, one in best.items()
    }
    show(net, batches(), hear, channels_last=found.channels_last, done=lambda _: None)
    return {layer: one.top() for layer, one in best.items()}


class _Best:
    """The best images so far."""

    def __init__(self, layer: str, shape: tuple[int, ...], k: int, pooling: str) -> None:
        self.layer, self.k, self.pooling = layer, k, pooling
        self.width = shape[-1] if len(shape) == 3 else 1
        self.responses = np.full((shape[0], k), -np.inf, dtype=np.float32)
        self.ids = np.full((shape[0], k), -1, dtype=np.int64)
        self.places = np.zeros((shape[0], k), dtype=np.int64)

    def take(self, ids: np.ndarray, response: Tensor) -> None:
        """Let new images, (n,), compete with their responses, (n, units, ...)."""
        maps = response.reshape(*response.shape[:2], -1).float()
        largest = maps.amax(2)
        places = (maps == largest[:, :, None]).to(torch.uint8).argmax(2)
        pooled = largest if self.pooling == "maximum" else maps.mean(2)
        if not torch.isfinite(pooled).all():
            raise ValueError(f"layer {self.layer!r} responds with what is not a finite number")
        ids = np.broadcast_to(np.asarray(ids, dtype=np.int64), (pooled.shape[1], len(ids)))
        responses = np.concatenate([self.responses, pooled.T.cpu().numpy()], axis=1)
        places = np.concatenate([self.places, places.T.cpu().numpy()], axis=1)
        ids = np.concatenate([self.ids, ids], axis=1)
        order = np.lexsort((ids, -responses), axis=1)[:, : self.k]
        self.responses, self.ids, self.places = (
            np.take_along_axis(values, order, axis=1) for values in (responses, ids, places)
        )

    def top(self) -> TopImages:
        """Give the best of all."""
        rows, columns = np.divmod(self.places, self.width)
        return TopImages(ids=self.ids, responses=self.responses, rows=rows, columns=columns)
