"""Images in memory, dealt to a network in batches.

Images stay 8-bit until the batch that shows them, and every alteration works on whole batches, so
that dealing costs a small part of training. Order and alterations follow from (seed, epoch) alone:
training that resumes in the middle sees what it would have seen.
"""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from facelab_models import distributed
from facelab_models.augmentation import DRAWS, Augment, alter

Batch = tuple[Tensor, dict[str, Tensor]]


class Batches:
    """A set of images and their targets, dealt in batches.

    Iterating gives every image in order, unaltered: for evaluation. Calling with an epoch gives
    them shuffled and altered: for training. Batches differ in size by one image at most, so none
    is too small for batch statistics. Of several processes that train together each is dealt its
    part of every batch; together they see what one process would see.

    Parameters
    ----------
    images : (N, H, W, 3), uint8
        Or (N, H, W, 6) for two eyes: RGB of the left, then RGB of the right.
    targets : dict of task to (N,) classes, int, or (N,) or (N, K) numbers, float
    batch_size : int
        Largest number of images in a batch, over all processes.
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

        Each batch is images (B, 3 or 6, H, W), float32 in [0, 1], channels last, and targets.
        """
        rng = np.random.default_rng((self.seed, epoch))
        order = rng.permutation(len(self.images))
        # Of a new alteration the draws come last: what the others draw stays as it was.
        shape = [(len(self.images), 7), (len(self.images), DRAWS - 7)]
        draws = torch.from_numpy(np.hstack([rng.random(each, dtype=np.float32) for each in shape]))
        for batch in np.array_split(order, len(self)):
            rows = distributed.portion(batch)
            images, targets = self._deal(rows)
            yield alter(images, draws[rows].to(self.device), self.augment), targets

    def _deal(self, rows: np.ndarray) -> Batch:
        index = torch.from_numpy(rows)
        # A view with the axes moved is what torch calls channels last: nothing is copied.
        pixels = self.images[index].to(self.device, non_blocking=True).permute(0, 3, 1, 2)
        targets = {task: values[index].to(self.device) for task, values in self.targets.items()}
        return pixels.float().div_(255), targets


def _tensor(values: np.ndarray) -> Tensor:
    is_class = np.issubdtype(values.dtype, np.integer)
    return torch.from_numpy(values.astype(np.int64 if is_class else np.float32))


def _check(images: np.ndarray, targets: Mapping[str, np.ndarray], batch_size: int) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or not len(images):
        raise ValueError(f"images are (N, H, W, 3) uint8, not {images.shape} {images.dtype}")
    if images.shape[3] not in (3, 6):
        raise ValueError(f"images have 3 channels, or 6 for two eyes, not {images.shape[3]}")
    if batch_size < 1:
        raise ValueError(f"batch_size is 1 or more, not {batch_size}")
    for task, values in targets.items():
        if len(values) != len(images):
            raise ValueError(f"{len(values)} targets of '{task}' for {len(images)} images")
