"""What is put before an image, and where: the size, the places and the filling of an occluder.

Zhou et al. 2015 move a small patch of random pixels over a dense grid of places.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

NOISE_MEAN, NOISE_SD = 120 / 255, 60 / 255
"""Of the Gaussian that noise is drawn from, before it is clipped to what a pixel can be."""
REDUCTIONS = ("at_maximum", "largest", "absolute")


@dataclass(frozen=True, kw_only=True)
class Occluder:
    """How an image is occluded, and what is asked of a unit's map then.

    Attributes
    ----------
    size_px, stride_px : int
        Side of the square; distance between neighbouring places.
    filling : str
        "noise" (each pixel and colour of each occluder drawn anew), "mean" (`colour`, or the mean
        colour of the image), "black", or "patch" (cut from another image, somewhere).
    grid : str
        "floor": all squares lie inside the image; "captum": ceil((side − size) / stride) + 1
        along each side, the last ones cut off by the edge.
    reduction : str
        "at_maximum": how much a unit's response falls where it was largest; "largest": the
        largest fall anywhere in its map; "absolute": the largest change anywhere.
    colour : tuple of float, optional
        RGB in [0, 1] for "mean", such as that of a data set.
    """

    size_px: int
    stride_px: int
    filling: str
    grid: str
    reduction: str
    colour: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        choices = {"filling": FILLINGS, "grid": GRIDS, "reduction": REDUCTIONS}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"unknown {name} {getattr(self, name)!r}; choose from {', '.join(known)}"
                )
        if self.colour is not None and not all(0 <= value <= 1 for value in self.colour):
            raise ValueError(f"colour is of values in [0, 1], not {list(self.colour)}")
        if self.size_px < 1 or self.stride_px < 1:
            raise ValueError(
                f"size_px and stride_px are 1 or more, not {self.size_px} and {self.stride_px}"
            )

    def places(self, side_px: int) -> np.ndarray:
        """List the first pixel of each place along a side of the image.

        >>> noise = Occluder(
        ...     size_px=11, stride_px=3, filling="noise", grid="floor", reduction="at_maximum"
        ... )
        >>> len(noise.places(227)) ** 2
        5329
        """
        if self.size_px > side_px:
            raise ValueError(
                f"an occluder of {self.size_px} px does not fit into an image of {side_px} px"
            )
        return np.arange(GRIDS[self.grid](side_px - self.size_px, self.stride_px)) * self.stride_px

    def fill(
        self,
        image: Tensor,
        counts: tuple[int, int],
        rng: np.random.Generator,
        other: Tensor | None = None,
    ) -> Tensor:
        """Paint the occluders, (rows, columns, size, size, C), for an image (C, H, W) in [0, 1].

        `counts` says how many there are down and along; `other` is the image that patches are
        cut from, (C, H, W). ValueError if it is missing or too small.
        """
        shape = (*counts, self.size_px, self.size_px)
        return FILLINGS[self.filling](self, image, shape, rng, other).to(image)


def _noise(
    _: Occluder, image: Tensor, shape: tuple, rng: np.random.Generator, __: Tensor | None
) -> Tensor:
    pixels = rng.standard_normal((*shape, len(image)), dtype=np.float32)
    return torch.from_numpy(pixels).mul_(NOISE_SD).add_(NOISE_MEAN).clamp_(0, 1)


def _mean(occluder: Occluder, image: Tensor, shape: tuple, *_: object) -> Tensor:
    given = occluder.colour
    if given is not None and len(given) != len(image):
        raise ValueError(f"colour has {len(given)} values for images of {len(image)} channels")
    colour = image.mean(dim=(1, 2)) if given is None else torch.tensor(given)
    return colour.expand(*shape, len(image))


def _black(_: Occluder, image: Tensor, shape: tuple, *__: object) -> Tensor:
    return torch.zeros(1).expand(*shape, len(image))


def _patch(
    occluder: Occluder, image: Tensor, shape: tuple, rng: np.random.Generator, other: Tensor | None
) -> Tensor:
    size = occluder.size_px
    if other is None or other.shape[0] != image.shape[0] or min(other.shape[1:]) < size:
        given = "none" if other is None else f"one of {tuple(other.shape)}"
        raise ValueError(f"patches are cut from another image, (C, H, W); there is {given}")
    cut = other.unfold(1, size, 1).unfold(2, size, 1)
    down, along = (torch.from_numpy(rng.integers(n, size=shape[:2])) for n in cut.shape[1:3])
    return cut[:, down, along].permute(1, 2, 3, 4, 0)


FILLINGS: dict[str, Callable[..., Tensor]] = {
    "noise": _noise,
    "mean": _mean,
    "black": _black,
    "patch": _patch,
}
GRIDS: dict[str, Callable[[int, int], int]] = {
    "floor": lambda room, stride: room // stride + 1,
    "captum": lambda room, stride: -(-room // stride) + 1,
}
