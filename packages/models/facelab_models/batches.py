"""Images in memory, dealt to a network in batches.

Images stay 8-bit until the batch that shows them, and every alteration works on whole batches, so
that dealing costs a small part of training. Order and alterations follow from (seed, epoch) alone:
training that resumes in the middle sees what it would have seen.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Batch = tuple[Tensor, dict[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Augment:
    """How much images vary from one epoch to the next; all zeros leave them as they are.

    Attributes
    ----------
    shift : float
        Largest displacement along x and along y, as a fraction of the image.
    zoom : float
        Largest relative enlargement or reduction.
    flip, grey : float
        Probability of a left-right mirror image; of an image without colour.
    brightness : float
        Largest change added to all pixels, on the scale of [0, 1].
    contrast : float
        Largest relative change of the differences from the image's mean.
    """

    shift: float
    zoom: float
    flip: float
    grey: float
    brightness: float
    contrast: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is between 0 and 1, not {value}")
        if self.zoom == 1:
            raise ValueError("zoom is below 1: nothing can be reduced to no size")


class Batches:
    """A set of images and their targets, dealt in batches.

    Iterating gives every image in order, unaltered: for evaluation. Calling with an epoch gives
    them shuffled and altered: for training. Batches differ in size by one image at most, so none
    is too small for batch statistics.

    Parameters
    ----------
    images : (N, H, W, 3), uint8
    targets : dict of task to (N,) classes, int, or (N,) or (N, K) numbers, float
    batch_size : int
        Largest number of images in a batch.
    augment : Augment
        Applies to training only.
    seed : int
    device : torch.device or str
        Where batches are altered and delivered.
    """

    def __init__(
        self,
        images: np.ndarray,
        targets: Mapping[str, np.ndarray],
        *,
        batch_size: int,
        augment: Augment,
        seed: int,
        device: torch.device | str,
    ) -> None:
        _check(images, targets, batch_size)
        self.images = torch.from_numpy(np.ascontiguousarray(images))
        self.targets = {task: _tensor(values) for task, values in targets.items()}
        self.batch_size = batch_size
        self.augment = augment
        self.seed = seed
        self.device = torch.device(device)

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return math.ceil(len(self.images) / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Deal all images in order, unaltered."""
        for rows in np.array_split(np.arange(len(self.images)), len(self)):
            yield self._deal(rows)

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """Deal all images once, shuffled and altered as (seed, epoch) determine.

        Each batch is images (B, 3, H, W), float32 in [0, 1], channels last, and targets.
        """
        rng = np.random.default_rng((self.seed, epoch))
        order = rng.permutation(len(self.images))
        draws = torch.from_numpy(rng.random((len(self.images), 7), dtype=np.float32))
        for rows in np.array_split(order, len(self)):
            images, targets = self._deal(rows)
            yield alter(images, draws[rows].to(self.device), self.augment), targets

    def _deal(self, rows: np.ndarray) -> Batch:
        index = torch.from_numpy(rows)
        # A view with the axes moved is what torch calls channels last: nothing is copied.
        pixels = self.images[index].to(self.device, non_blocking=True).permute(0, 3, 1, 2)
        targets = {task: values[index].to(self.device) for task, values in self.targets.items()}
        return pixels.float().div_(255), targets


def alter(images: Tensor, draws: Tensor, augment: Augment) -> Tensor:
    """Move, mirror, bleach and relight each image by its own draws.

    Parameters
    ----------
    images : (B, 3, H, W), in [0, 1]
    draws : (B, 7), uniform in [0, 1)
        Of x, y, zoom, flip, grey, brightness, contrast.
    augment : Augment

    Returns
    -------
    images : (B, 3, H, W), in [0, 1]
        The same tensor if nothing is altered.
    """
    x, y, zoom, flip, grey, brightness, contrast = draws.unbind(dim=1)
    if augment.shift or augment.zoom or augment.flip:
        sizes = 1 / (1 + augment.zoom * _signed(zoom))
        places = torch.stack([_signed(x), _signed(y)], dim=1) * 2 * augment.shift
        images = _resample(images, sizes, places, flip < augment.flip)
    if augment.grey:
        images = _bleach(images, grey < augment.grey)
    if augment.brightness or augment.contrast:
        gain = 1 + augment.contrast * _signed(contrast)
        offset = (1 - gain) * images.mean(dim=(1, 2, 3)) + augment.brightness * _signed(brightness)
        images = images.mul(gain.view(-1, 1, 1, 1)).add_(offset.view(-1, 1, 1, 1)).clamp_(0, 1)
    return images


def _signed(draws: Tensor) -> Tensor:
    """Stretch [0, 1) to [−1, 1)."""
    return 2 * draws - 1


def _resample(images: Tensor, sizes: Tensor, places: Tensor, mirrored: Tensor) -> Tensor:
    """Cut out windows of these relative sizes and places ([−1, 1] spans the image).

    What lies beyond the border is the image's reflection, which has no edge for a net to see.
    """
    height, width = images.shape[2:]
    across = torch.where(mirrored, -sizes, sizes)
    grid = images.new_empty(len(images), height, width, 2)
    grid[..., 0] = (across[:, None] * _centres(width, images) + places[:, :1])[:, None, :]
    grid[..., 1] = (sizes[:, None] * _centres(height, images) + places[:, 1:])[:, :, None]
    moved = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)


def _centres(pixels: int, like: Tensor) -> Tensor:
    """Return the centres of pixels on the scale where the image spans [−1, 1]."""
    return (2 * torch.arange(pixels, dtype=like.dtype, device=like.device) + 1) / pixels - 1


def _bleach(images: Tensor, bleached: Tensor) -> Tensor:
    """Replace the colours of these images by their luma (ITU-R BT.601)."""
    rows = bleached.nonzero()[:, 0]
    red, green, blue = images[rows].unbind(dim=1)
    images = images.clone()
    images[rows] = (0.299 * red + 0.587 * green + 0.114 * blue).unsqueeze(1)
    return images


def _tensor(values: np.ndarray) -> Tensor:
    is_class = np.issubdtype(values.dtype, np.integer)
    return torch.from_numpy(values.astype(np.int64 if is_class else np.float32))


def _check(images: np.ndarray, targets: Mapping[str, np.ndarray], batch_size: int) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or not len(images):
        raise ValueError(f"images are (N, H, W, 3) uint8, not {images.shape} {images.dtype}")
    if batch_size < 1:
        raise ValueError(f"batch_size is 1 or more, not {batch_size}")
    for task, values in targets.items():
        if len(values) != len(images):
            raise ValueError(f"{len(values)} targets of '{task}' for {len(images)} images")
