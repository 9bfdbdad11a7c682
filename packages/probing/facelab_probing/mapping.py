"""Discrepancy maps of many units, each for the images that excite it most.

Units share images, so the work goes image by image. It is kept in a folder, block by block: a job
that was killed goes on from there and ends with the same numbers, because the occluders before an
image are drawn from the seed and the image's id alone, for every layer and network alike.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from facelab_probing.discrepancies import Maps
from facelab_probing.fields import Field
from facelab_probing.occluders import Occluder
from facelab_probing.occlusion import Subject, map_all, map_units

BLOCK = 8
"""Images whose maps are kept together."""
SWEEP_MOST, SWEEP_PER_VIEW = 45, 2.4
"""Measured on SqueezeNet and a ResNet: see `break_even`."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Units of a layer, and the images to map each for, the best first.

    Attributes
    ----------
    layer : str
    units : array, (U,)
    ids : array, (U, k)
        Of the images; −1 where there are fewer.
    alone : float
        Most units of an image that are better mapped one by one, see `break_even`.
    """

    layer: str
    units: np.ndarray
    ids: np.ndarray
    alone: float

    @property
    def images(self) -> np.ndarray:
        """List the images, each once, in order."""
        return np.unique(self.ids[self.ids >= 0])


@dataclass(frozen=True, kw_only=True)
class Block:
    """Maps for a few images, of the units that want them.

    Attributes
    ----------
    rows, ranks : array, (n,)
        Of each map: the row of its unit, and its image's rank, in `Wanted.ids`.
    drops, responses, places : array, (n, down, along), (n,), (n, 2)
    starts : tuple of array
        First row and first column of the occluders.
    size_px : int
        As those of `Maps`, like the three before.
    computed : str
    """

    rows: np.ndarray
    ranks: np.ndarray
    drops: np.ndarray
    responses: np.ndarray
    places: np.ndarray
    starts: tuple[np.ndarray, np.ndarray]
    size_px: int
    computed: str


def choose(count: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """Draw units of a layer that has `count`, in order; all for 0.

    A larger draw from the same state of `rng` holds the smaller one.
    """
    order = rng.permutation(count)
    return np.sort(order[:most] if most else order)


def break_even(field: Field, occluder: Occluder, side_px: tuple[int, int]) -> float:
    """Say for how many units of a layer one sweep of an image costs as much as one by one.

    A unit alone is asked about the occluders that it can see, a sweep about all of them.
    """
    seen = [
        min((size + occluder.size_px) / side, 1)
        for size, side in zip(field.size_px, side_px, strict=True)
    ]
    return min(SWEEP_MOST, SWEEP_PER_VIEW / (seen[0] * seen[1]))


def map_blocks(
    subject: Subject,
    wanted: Wanted,
    see: Callable[[int], np.ndarray],
    occluder: Occluder,
    folder: Path,
    *,
    seed: int,
    others: Sequence[int],
) -> Iterator[Block]:
    """Map each unit for each of its images; yield them block by block, from `folder` if there.

    Parameters
    ----------
    subject : Subject
        Prepared for this layer, and better for no other.
    see : callable
        Gives the image of an id, (C, H, W) in [0, 1], as the network works at it.
    folder : Path
        Where blocks are kept; the caller's to remove.
    others : sequence of int
        Ids of images that patches may be cut from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    images = wanted.images
    with tqdm(total=len(images), desc=wanted.layer, unit="image", delay=2, leave=False) as bar:
        for start in range(0, len(images), BLOCK):
            path = folder / f"{start:08d}.npz"
            if not path.exists():
                parts = []
                for image in images[start : start + BLOCK]:
                    rng = np.random.default_rng([seed, int(image)])
                    other = _other(image, others, rng) if occluder.filling == "patch" else None
                    patch = None if other is None else torch.from_numpy(see(other))
                    pixels = torch.from_numpy(see(int(image)))
                    parts.append(_map(subject, wanted, (image, pixels, patch), occluder, rng))
                    bar.update()
                _keep(path, parts)
            else:
                bar.update(len(images[start : start + BLOCK]))
            yield _load(path)


def _map(
    subject: Subject, wanted: Wanted, shown: tuple, occluder: Occluder, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, Maps]:
    """Map the units that want an image: their rows, the image's ranks, their maps."""
    image, pixels, other = shown
    rows, ranks = np.nonzero(wanted.ids == image)
    units, layer = wanted.units[rows].tolist(), wanted.layer
    device = next(subject.net.parameters()).device
    pixels, other = (one if one is None else one.to(device) for one in (pixels, other))
    options = {"rng": rng, "other": other}
    if occluder.reduction != "at_maximum" or len(units) > wanted.alone:
        return rows, ranks, map_all(subject, pixels, occluder, **options)[layer].only(units)
    return rows, ranks, map_units(subject, pixels, occluder, {layer: units}, **options)[layer]


def _other(image: int, others: Sequence[int], rng: np.random.Generator) -> int:
    """Draw an image that is another."""
    choices = np.setdiff1d(others, [image])
    if not len(choices):
        raise ValueError(f"patches are cut from another image; there is only image {image}")
    return int(rng.choice(choices))


def _keep(path: Path, parts: list[tuple[np.ndarray, np.ndarray, Maps]]) -> None:
    """Write a block, complete or not at all."""
    first = parts[0][2]
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        rows=np.concatenate([rows for rows, _, _ in parts]),
        ranks=np.concatenate([ranks for _, ranks, _ in parts]),
        **{
            name: np.concatenate([getattr(maps, name) for _, _, maps in parts])
            for name in ("drops", "responses", "places")
        },
        down=first.rows,
        along=first.columns,
        size_px=first.size_px,
        computed=first.computed,
    )
    part.replace(path)


def _load(path: Path) -> Block:
    with np.load(path) as kept:
        names = ("rows", "ranks", "drops", "responses", "places")
        return Block(
            **{name: kept[name] for name in names},
            starts=(kept["down"], kept["along"]),
            size_px=int(kept["size_px"]),
            computed=str(kept["computed"]),
        )
