"""Discrepancy maps of many units of many layers, each for the images that excite it most.

Units share images, so the work goes image by image: where many units of a layer want an image, this
layer and all before it are mapped in one sweep; other units are mapped one by one. What is done is
kept in a folder, block by block: a job that was killed goes on from there, several processes can
share one, and both end with the same numbers, because the occluders before an image are drawn from
the seed and the image's id alone, for every layer and network alike.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import is_zipfile

import numpy as np
import torch

from facelab_probing import files
from facelab_probing.discrepancies import Maps
from facelab_probing.fields import Field
from facelab_probing.occluders import Occluder
from facelab_probing.occlusion import Subject, map_all, map_units
from facelab_probing.refinement import Coarse

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

    def asks(self, image: int) -> tuple[np.ndarray, np.ndarray]:
        """Find the units that want an image: their rows, and its rank for each."""
        return np.nonzero(self.ids == image)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Maps of a layer's units for a few images.

    Attributes
    ----------
    rows, ranks : array, (n,)
        Of each map: the row of its unit, and its image's rank, in `Wanted.ids`.
    drops, responses, places, errors : array, (n, down, along), (n,), (n, 2), (n,)
    starts : tuple of array
        First row and first column of the occluders.
    size_px : int
        As those of `Maps`, like the four before.
    computed : str
    """

    rows: np.ndarray
    ranks: np.ndarray
    drops: np.ndarray
    responses: np.ndarray
    places: np.ndarray
    errors: np.ndarray
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


def plan(wanted: Sequence[Wanted], folder: Path) -> dict[Path, list[int]]:
    """Deal the images that some unit wants into blocks: their files, and the images of each."""
    every = np.unique(np.concatenate([one.ids[one.ids >= 0] for one in wanted]))
    return {
        folder / f"{start:08d}.npz": every[start : start + BLOCK].tolist()
        for start in range(0, len(every), BLOCK)
    }


def map_images(
    prepare: Callable[[tuple[str, ...]], Subject],
    wanted: Sequence[Wanted],
    see: Callable[[int], np.ndarray],
    occluder: Occluder,
    todo: Mapping[Path, Sequence[int]],
    *,
    seed: int,
    others: Sequence[int],
    coarse: Coarse | None = None,
    done: Callable[[int], object] = lambda _: None,
) -> None:
    """Map each unit for each of its images, and keep the maps block by block, see `blocks`.

    Parameters
    ----------
    prepare : callable
        Prepares the network for some layers, as `occlusion.prepare` does.
    wanted : sequence of Wanted
        Of different layers, best in order of depth.
    see : callable
        Gives the image of an id, (C, H, W) in [0, 1], as the network works at it.
    todo : mapping of Path to sequence of int
        What `plan` gives, or, where several processes share the work, a part of it. Blocks that
        are there are left as they are.
    others : sequence of int
        Ids of images that patches may be cut from.
    coarse : Coarse, optional
        Map coarsely first, every unit by itself; the maps say how wrong they are.
    done : callable, optional
        Is told how many more images are mapped, as they are.

    Raises
    ------
    ValueError
        If maps are to be coarse and the reduction is not "at_maximum".
    """
    if coarse is not None and occluder.reduction != "at_maximum":
        raise ValueError(f"coarse maps are of drops 'at_maximum', not {occluder.reduction!r}")
    prepared = cache(prepare)
    for path, images in todo.items():
        if is_zipfile(path):  # whole: the directory of such a file is its end
            done(len(images))
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = []
        for image in images:
            other = _other(image, others, seed) if occluder.filling == "patch" else None
            shown = see(image), None if other is None else see(other)
            parts.append(_map(prepared, wanted, (image, *shown), (occluder, coarse), seed))
            done(1)
        _keep(path, parts)


def blocks(paths: Iterable[Path], layer: str) -> Iterator[Block]:
    """Read the maps of a layer, block by block."""
    for path in paths:
        with np.load(path) as kept:
            if f"{layer}/drops" in kept:
                names = ("rows", "ranks", "drops", "responses", "places", "errors")
                yield Block(
                    **{name: kept[f"{layer}/{name}"] for name in names},
                    starts=(kept["down"], kept["along"]),
                    size_px=int(kept["size_px"]),
                    computed=str(kept[f"{layer}/computed"]),
                )


def _map(
    prepared: Callable[[tuple[str, ...]], Subject],
    wanted: Sequence[Wanted],
    shown: tuple,
    how: tuple[Occluder, Coarse | None],
    seed: int,
) -> dict[str, tuple[np.ndarray, np.ndarray, Maps]]:
    """Map the units that want an image: by layer their rows, its ranks, their maps."""
    image, *pictures = shown
    occluder, coarse = how
    asked = {one.layer: one.asks(image) for one in wanted}
    units = {one.layer: one.units[asked[one.layer][0]].tolist() for one in wanted}
    layers, singly = tuple(units), occluder.reduction == "at_maximum"
    many = [
        coarse is None and len(units[one.layer]) > (one.alone if singly else 0) for one in wanted
    ]
    # A sweep of a deep layer passes through those before it, so they are taken with it.
    swept = layers[: max(np.flatnonzero(many), default=-1) + 1]
    few = {layer: some for layer, some in units.items() if some and layer not in swept}
    device = next(prepared(layers).net.parameters()).device
    pixels, other = (one if one is None else torch.from_numpy(one).to(device) for one in pictures)
    maps = {}
    if swept:
        rng = np.random.default_rng([seed, image])
        whole = map_all(prepared(swept), pixels, occluder, rng=rng, other=other)
        maps |= {layer: whole[layer].only(units[layer]) for layer in swept if units[layer]}
    if few:
        rng = np.random.default_rng([seed, image])
        known = {"rng": rng, "other": other, "coarse": coarse}
        maps |= map_units(prepared(layers), pixels, occluder, few, **known)
    return {layer: (*asked[layer], maps[layer]) for layer in maps}


def _other(image: int, others: Sequence[int], seed: int) -> int:
    """Draw an image that is another."""
    choices = np.setdiff1d(others, [image])
    if not len(choices):
        raise ValueError(f"patches are cut from another image; there is only image {image}")
    return int(np.random.default_rng([seed, image, 1]).choice(choices))


def _keep(path: Path, parts: list[dict[str, tuple[np.ndarray, np.ndarray, Maps]]]) -> None:
    """Write a block of all layers, complete or not at all."""
    kept = {}
    for layer in {layer: None for part in parts for layer in part}:
        found = [part[layer] for part in parts if layer in part]
        kept[f"{layer}/rows"] = np.concatenate([rows for rows, _, _ in found])
        kept[f"{layer}/ranks"] = np.concatenate([ranks for _, ranks, _ in found])
        for name in ("drops", "responses", "places", "errors"):
            kept[f"{layer}/{name}"] = np.concatenate([getattr(one, name) for _, _, one in found])
        kept[f"{layer}/computed"] = found[0][2].computed
    first = next(iter(parts[0].values()))[2]
    part = path.with_suffix(".part.npz")
    about = {"down": first.rows, "along": first.columns}
    try:
        np.savez(part, **kept, **about, size_px=first.size_px)
        part.replace(path)
    except OSError as error:
        raise files.explain(error, path, sum(np.asarray(v).nbytes for v in kept.values())) from None
    finally:
        part.unlink(missing_ok=True)
