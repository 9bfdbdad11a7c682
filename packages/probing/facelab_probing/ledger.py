"""The file behind a recording: laid out in full first, then filled in row by row.

    /                      attributes `format`, `version`, `key` (what the content depends on)
    /image                 (N,) int64, the image of each row
    /rows                  (1,) int64, rows written so far; N in a finished file
    /attributes            json text: whatever the caller says of the recording
    /labels/<name>         (N,) or (N, K) numbers; for text, codes and attribute `categories`
    /layers/<i>_<name>     attributes `name`, `index`, `shape` (C, H, W) of one response
        /units             (N, U) float32 or float16, contiguous, uncompressed, C order
        /...               what a reduction says of its components, see `reduction`

HDF5 reserves the place of every row at the start. From then on rows are written to their
places by plain system calls, the data before the counter, and the structure of the file is
never touched again: killed at any moment, it is whole, and says how far it got.
Contiguous rows are the limit of uncompressed row-aligned chunks: one read per request.
"""

import errno
import fcntl
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np

from facelab_probing.files import claim, create, explain, reserve

FORMAT = "facelab recording"
VERSION = 1
PIECE = 2**20
"""Bytes per system call; several at once are several times slower on ext4."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What is kept of one layer.

    Attributes
    ----------
    shape : tuple of int
        Shape of one image's response, before any reduction.
    units : int
        Numbers kept per image.
    arrays, notes : dict
        Datasets and attributes stored beside the units.
    """

    shape: tuple[int, ...]
    units: int
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    notes: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All of a recording but the responses themselves.

    Attributes
    ----------
    ids : array, (N,) int64
    sheets : dict of Sheet
        By layer, in order.
    dtype : str
        "float32" or "float16".
    labels : dict of array, (N, ...)
    attributes : dict
        Anything that json can hold.
    """

    ids: np.ndarray
    sheets: dict[str, Sheet]
    dtype: str
    labels: dict[str, np.ndarray]
    attributes: dict[str, object]


def lay_out(path: Path, plan: Plan, key: str) -> None:
    """Write a recording without its responses, complete or not at all."""
    with create(path) as file:
        reserve(file, 2 * sum(values.nbytes for values in plan.labels.values()))
        _write_structure(file, plan, key)


def _write_structure(file: h5py.File, plan: Plan, key: str) -> None:
    file.attrs.update({"format": FORMAT, "version": VERSION, "key": key})
    file["image"] = plan.ids.astype("<i8")
    file["rows"] = np.zeros(1, "<i8")
    file["attributes"] = np.bytes_(json.dumps(plan.attributes, sort_keys=True).encode())
    labels = file.create_group("labels")
    for name, values in plan.labels.items():
        _store_label(labels, name, np.asarray(values))
    layers = file.create_group("layers")
    for index, (name, sheet) in enumerate(plan.sheets.items()):
        group = layers.create_group(f"{index:04d}_{name.replace('/', '|')}")
        shape = np.array(sheet.shape, "<i8")
        group.attrs.update({"name": name, "index": index, "shape": shape, **sheet.notes})
        for array, values in sheet.arrays.items():
            group[array] = values
        _reserve(group, (len(plan.ids), sheet.units), plan.dtype)


def key_of(path: Path) -> str | None:
    """Read what the content of a recording, finished or not, depends on; None if unreadable.

    Raises
    ------
    BlockingIOError
        If another process is filling it in.
    """
    try:
        with h5py.File(path) as file:
            return file.attrs["key"]
    except BlockingIOError:
        raise BlockingIOError(f"{path} is being written by another process") from None
    except (OSError, KeyError):
        return None


def _store_label(labels: h5py.Group, name: str, values: np.ndarray) -> None:
    if values.dtype.kind in "biuf":
        labels[name] = values
        return
    categories, codes = np.unique(values.astype(str), return_inverse=True)
    labels[name] = codes.astype("<i4")
    labels[name].attrs["categories"] = json.dumps(categories.tolist())


def _reserve(group: h5py.Group, shape: tuple[int, int], dtype: str) -> None:
    place = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    place.set_layout(h5py.h5d.CONTIGUOUS)
    place.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    place.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    place.set_obj_track_times(False)  # the same content makes the same bytes
    kind = h5py.h5t.py_create(np.dtype(dtype).newbyteorder("<"))
    h5py.h5d.create(group.id, b"units", kind, h5py.h5s.create_simple(shape), place)


class Ledger:
    """A recording being filled in; a context manager that holds it against other processes.

    Raises
    ------
    OSError
        If the disk cannot hold it, or another process is filling it in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with h5py.File(path) as file:
            datasets = {group.attrs["name"]: group["units"] for group in file["layers"].values()}
            self._places = {name: units.id.get_offset() for name, units in datasets.items()}
            self._widths = {
                name: units.shape[1] * units.dtype.itemsize for name, units in datasets.items()
            }
            self._counter = file["rows"].id.get_offset()
            self.rows, self.count = int(file["rows"][0]), len(file["image"])
        self._file = os.open(path, os.O_RDWR)

    def __enter__(self) -> "Ledger":
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            claim(self._file, self.path, os.fstat(self._file).st_size)
        except BlockingIOError:
            self.close()
            raise BlockingIOError(f"{self.path} is being written by another process") from None
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def write(self, layer: str, row: int, units: np.ndarray) -> None:
        """Write consecutive rows (n, U), of the recording's dtype, from `row` on."""
        place = self._places[layer] + row * self._widths[layer]
        left = memoryview(units).cast("B")
        while left:
            try:
                written = os.pwrite(self._file, left[:PIECE], place)
            except OSError as error:
                raise explain(error, self.path, self.path.stat().st_size) from None
            left, place = left[written:], place + written

    def advance(self, rows: int) -> None:
        """Note that all layers are written up to, not including, row `rows`."""
        os.pwrite(self._file, rows.to_bytes(8, "little"), self._counter)
        self.rows = rows

    def finish(self, target: Path) -> None:
        """Move the finished file to its target, in one step."""
        os.fsync(self._file)
        try:
            self.path.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            beside = target.with_name(target.name + ".new")
            shutil.copyfile(self.path, beside)
            beside.replace(target)
            self.path.unlink()
