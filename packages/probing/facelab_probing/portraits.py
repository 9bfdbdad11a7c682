"""Portraits of a layer's units: what excites them, their maps, their receptive fields, on disk.

One HDF5 file per layer; U units, k images each, the best first::

    units             (U,)            int64
    ids, responses    (U, k)          the images, −1 for none; responses without occluder
    errors            (U, k)          of interpolated maps, 0 where nothing was interpolated
    places            (U, k, 2)       where in the unit's map
    drops             (U, k, R, C)    float32, discrepancy maps, R × C occluders
    pictures, masks   (U, side, side) float32, bool: mean drops around the field's centre
    table/<measure>   (U,)            float64, in `MEASURES`

Attributes: layer, down and along (first pixels of the occluders), size_px, side_px (of the image),
fraction, computed, and those of the caller.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from facelab_probing import files
from facelab_probing.discrepancies import Maps
from facelab_probing.fields import Field
from facelab_probing.mapping import Block, Wanted
from facelab_probing.receptive_fields import ReceptiveField, receptive_field, segment

MEASURES = (
    *("size_px", "size_se_px", "major_px", "minor_px", "orientation_deg", "raw_px", "area_px"),
    *("theoretical_px", "visible_px", "response", "images", "error"),
)


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """A unit, its best images and its field.

    Attributes
    ----------
    unit : int
    ids : array, (n,)
    painted, segments : array, (n, H, W)
        Mean drop in response under the occluders over each pixel; and what the unit responds to,
        see `receptive_fields.segment`.
    picture, mask : array, (side, side)
        As of `ReceptiveField`.
    measures : dict of float
    """

    unit: int
    ids: np.ndarray
    painted: np.ndarray
    segments: np.ndarray
    picture: np.ndarray
    mask: np.ndarray
    measures: dict[str, float]


def write(
    path: Path,
    wanted: Wanted,
    blocks: Iterable[Block],
    field: Field,
    *,
    side_px: tuple[int, int],
    fraction: float,
    attributes: Mapping[str, object],
) -> None:
    """Gather the maps of a layer, estimate each unit's field, keep both; whole or not at all.

    Memory is that of a block and of the fields' pictures. Raises OSError when the disk is full.
    """
    with files.create(path) as file:
        _gather(file, wanted, blocks)
        file.attrs.update(layer=wanted.layer, side_px=side_px, fraction=fraction, **attributes)
        file["units"], file["ids"] = wanted.units, wanted.ids
        found = [
            receptive_field(_maps(file, row), int(unit), field, fraction=fraction)
            for row, unit in enumerate(wanted.units)
        ]
        _draw(file, found)
        table = [_measures(file, row, one, field) for row, one in enumerate(found)]
        for name in MEASURES:
            file[f"table/{name}"] = np.array([line[name] for line in table], dtype=np.float64)


def measures(path: Path) -> pd.DataFrame:
    """Give the measures of each unit: unit and `MEASURES`."""
    with files.reading(path) as file:
        columns = {name: file[f"table/{name}"][:] for name in MEASURES}
        return pd.DataFrame({"unit": file["units"][:], **columns})


def images(path: Path) -> np.ndarray:
    """Give the ids of all images that excite some unit most, in order."""
    with files.reading(path) as file:
        ids = np.unique(file["ids"][:])
    return ids[ids >= 0]


@contextmanager
def opened(path: Path) -> Iterator["Album"]:
    """Open a layer's portraits, to look at one after the other."""
    with files.reading(path) as file:
        yield Album(file, measures(path))


class Album:
    """The portraits of a layer: `table` tells the measures, `portrait` shows one."""

    def __init__(self, file: h5py.File, table: pd.DataFrame) -> None:
        self._file = file
        self.table = table
        self.facts = dict(file.attrs)

    def portrait(self, row: int) -> Portrait:
        """Show the unit in this row of the table."""
        side, fraction = self.facts["side_px"], self.facts["fraction"]
        maps = _maps(self._file, row)
        unit = int(self.table["unit"].iloc[row])
        return Portrait(
            unit=unit,
            ids=self._file["ids"][row, : len(maps)],
            painted=np.stack([one.painted(side)[0] for one in maps]),
            segments=np.stack([segment(one, unit, side, fraction=fraction) for one in maps]),
            picture=self._file["pictures"][row],
            mask=self._file["masks"][row],
            measures=self.table.iloc[row].to_dict(),
        )


def _gather(file: h5py.File, wanted: Wanted, blocks: Iterable[Block]) -> None:
    """Put each map in its place."""
    shape = wanted.ids.shape
    files.reserve(file, 8 * 4 * wanted.ids.size)
    for name in ("responses", "errors"):
        file[name] = np.full(shape, np.nan, dtype=np.float32)
    file["places"] = np.zeros((*shape, 2), dtype=np.int64)
    drops = None
    for block in blocks:
        grid = block.drops.shape[1:]
        files.reserve(file, block.drops.nbytes)
        drops = drops or file.create_dataset(
            "drops",
            (*shape, *grid),
            np.float32,
            chunks=(1, 1, *grid),
            compression="gzip",
            compression_opts=1,
            shuffle=True,
        )
        for number, place in enumerate(zip(block.rows, block.ranks, strict=True)):
            drops[place] = block.drops[number]
            for name in ("responses", "places", "errors"):
                file[name][place] = getattr(block, name)[number]
        file.attrs.update(down=block.starts[0], along=block.starts[1])
        file.attrs.update(size_px=block.size_px, computed=block.computed)


def _maps(file: h5py.File, row: int) -> list[Maps]:
    """Give a unit's maps as `receptive_field` takes them."""
    count = int((file["ids"][row] >= 0).sum())
    drops, places = file["drops"][row], file["places"][row]
    responses, errors = file["responses"][row], file["errors"][row]
    return [
        Maps(
            drops=drops[rank : rank + 1],
            units=file["units"][row : row + 1],
            responses=responses[rank : rank + 1],
            places=places[rank : rank + 1],
            errors=errors[rank : rank + 1],
            rows=file.attrs["down"],
            columns=file.attrs["along"],
            size_px=int(file.attrs["size_px"]),
            computed=str(file.attrs["computed"]),
        )
        for rank in range(count)
    ]


def _measures(file: h5py.File, row: int, found: ReceptiveField, field: Field) -> dict[str, float]:
    boxes = [field.box(*place) for place in file["places"][row, file["ids"][row] >= 0]]
    areas = [(rows.stop - rows.start) * (columns.stop - columns.start) for rows, columns in boxes]
    return {
        **vars(found.extent),
        "size_se_px": found.size_se_px,
        "area_px": found.area_px,
        "theoretical_px": np.sqrt(np.prod(found.theoretical_px)),
        "visible_px": np.sqrt(np.mean(areas)) if found.images else np.nan,
        "response": file["responses"][row, 0],
        "images": found.images,
        "error": np.nanmax(file["errors"][row], initial=0.0),
    }


def _draw(file: h5py.File, found: list[ReceptiveField]) -> None:
    """Keep the fields' pictures, all of one size."""
    side = max(len(one.picture) for one in found)
    files.reserve(file, len(found) * (5 * side**2 + 8 * len(MEASURES)))
    for name, kind in (("picture", np.float32), ("mask", bool)):
        pictures = file.create_dataset(
            f"{name}s", (len(found), side, side), kind, chunks=(1, side, side), compression="gzip"
        )
        for row, one in enumerate(found):
            pictures[row] = np.pad(getattr(one, name), (side - len(one.picture)) // 2)
