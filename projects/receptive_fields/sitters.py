"""Units as they are drawn: their portraits, from the artifacts of the map stage."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from facelab_probing import portraits
from facelab_viz.strips import Sitter

from projects.receptive_fields.thumbnails import read_thumbnails


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of a network at one moment: its label, its epoch and its file of portraits."""

    label: str
    epoch: float
    path: Path


def layers_of(folder: Path) -> list[list[Layer]]:
    """List the layers of the first seed in a folder of portraits: by epoch, in order of depth."""
    seeds = sorted(folder.glob("seed-*"), key=lambda home: int(home.name[5:]))
    found = []
    for home in sorted(seeds[0].glob("epoch-*")):
        paths = [path for path in home.glob("*.h5") if path.name != "images.h5"]
        layers = []
        for path in paths:
            with portraits.opened(path) as album:
                facts = album.facts
            layer = Layer(label=str(facts["label"]), epoch=float(home.name[6:]), path=path)
            layers.append((facts["depth"], layer))
        found.append([layer for _, layer in sorted(layers, key=lambda pair: pair[0])])
    return found


def sit(layer: Layer, rows: np.ndarray, images: int) -> Iterator[Sitter]:
    """Show the units in some rows of a layer's table, one by one, with at most so many images."""
    with portraits.opened(layer.path) as album:
        for row in rows:
            one = album.portrait(int(row))
            ids = one.ids[:images]
            yield Sitter(
                images=read_thumbnails(layer.path.with_name("images.h5"), ids),
                maps=one.painted[: len(ids)],
                segments=one.segments[: len(ids)],
                picture=one.picture,
                mask=one.mask,
                theoretical_px=one.measures["theoretical_px"],
                caption=say(one.unit, one.measures),
            )


def spread(layer: Layer, count: int) -> np.ndarray:
    """Choose rows of units that have a field, evenly from the smallest to the largest."""
    with portraits.opened(layer.path) as album:
        sizes = album.table["size_px"].to_numpy()
    order = np.argsort(sizes, kind="stable")[: np.isfinite(sizes).sum()]
    places = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    return order[places]


def say(unit: int, measures: dict[str, float]) -> str:
    """Say a unit's size in words."""
    whole = f"{measures['theoretical_px']:.0f} px"
    if not np.isfinite(measures["size_px"]):
        return f"unit {unit}: silent (theoretical {whole})"
    size, error = measures["size_px"], measures["size_se_px"]
    shape = f"{measures['major_px']:.1f} × {measures['minor_px']:.1f}"
    return f"unit {unit}: {size:.1f} ± {error:.1f} px ({shape}) of {whole}"
