"""The stimulus set on disk: images, and a table of what is true of each.

One HDF5 file, whoever made it::

    images          (N, H, W, 3) uint8, sRGB; the left eye's when there are two
    images_right    the same for the right eye, only when there are two
    factors/<name>  (N,) numbers, or (N, K) float32 for a factor with K outputs;
                    attributes kind, level, unit, missing and, where they apply, categories
                    (what the codes stand for, -1 for none) and names (what the outputs or the
                    numbers stand for), both JSON lists
    files           (N,) UTF-8, only when the images were photographs

Row i is image i everywhere. Identity and split are always among the factors; they have no kind
when nobody is to decode them. The same content gives the same bytes.
"""

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import h5py
import numpy as np
import pandas as pd

from facelab_data.aside import aside, reserve
from facelab_data.tables import Table, check, load, store

VERSION = 1
FORMAT = ("v110", "v110")  # fixed, so that a newer HDF5 writes the same bytes
CHUNK = 32
SPARE_BYTES = 2**22  # for names, provenance and HDF5's own pages
NONE = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Stimuli:
    """A stimulus set: its table in memory, its images on disk.

    Parameters
    ----------
    factors : DataFrame
        One row per image; categories as text, missing values as NaN.
    outputs : dict of tuple of str
        Factor to its columns in `factors`; several for shape and albedo.
    kinds, levels : dict of str
        Factor to ``categorical`` or ``continuous``, and to ``identity`` or ``image``.
    size_px : (int, int)
        Height and width.
    eyes : tuple of str
        ``("left",)`` or ``("left", "right")``.
    names : dict of tuple of str
        What the outputs of a factor, or its numbers, stand for; for few factors.
    provenance : dict
        How the set was made.
    """

    path: Path
    factors: pd.DataFrame
    outputs: dict[str, tuple[str, ...]]
    kinds: dict[str, str]
    levels: dict[str, str]
    size_px: tuple[int, int]
    eyes: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    provenance: dict

    def images(self, rows: np.ndarray | None = None, eye: str = "left") -> np.ndarray:
        """Read images, by default all, in the order asked for.

        Parameters
        ----------
        rows : int array, (n,), optional
            Image ids; any order, repeats allowed.

        Returns
        -------
        images : (n, H, W, 3), uint8
        """
        rows = self._rows(rows)
        if eye not in self.eyes:
            raise ValueError(f"no {eye!r} eye in {self.path}; it has {', '.join(self.eyes)}")
        images = np.empty((len(rows), *self.size_px, 3), np.uint8)
        order = np.argsort(rows, kind="stable")
        runs = np.split(order, np.flatnonzero(np.diff(rows[order]) != 1) + 1)
        # Without a chunk cache HDF5 reads the rows asked for and not the whole chunk around them.
        with h5py.File(self.path, "r", rdcc_nbytes=0) as file:
            dataset = file["images" if eye == "left" else "images_right"]
            for run in runs if len(rows) else []:
                images[run] = dataset[int(rows[run[0]]) : int(rows[run[-1]]) + 1]
        return images

    def blocks(
        self, size: int, rows: np.ndarray | None = None, eye: str = "left"
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Read images `size` at a time: pairs of image ids (n,) and images (n, H, W, 3)."""
        rows = self._rows(rows)
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            yield block, self.images(block, eye)

    def _rows(self, rows: np.ndarray | None) -> np.ndarray:
        count = len(self.factors)
        rows = np.arange(count) if rows is None else np.asarray(rows)
        if len(rows) and not np.issubdtype(rows.dtype, np.integer):
            raise ValueError(f"rows are image ids, not {rows.dtype}; np.flatnonzero turns a mask")
        wrong = rows[(rows < 0) | (rows >= count)]
        if len(wrong):
            raise ValueError(f"no image {wrong[0]} in {self.path}; it has 0 … {count - 1}")
        return rows.astype(np.int64)


def read(path: Path) -> Stimuli:
    """Open a stimulus set and check that it is whole.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is not a stimulus set, was cut short, or contradicts itself; in one line.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no stimulus set at {path}")
    try:
        with h5py.File(path, "r") as file:
            return _read(path, file)
    except OSError as error:
        raise ValueError(
            f"{path} is no HDF5 file, or was cut short: {' '.join(str(error).split())}"
        ) from None
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is no stimulus set: {error.args[0]}") from None


def write(
    path: Path,
    images: Iterable[np.ndarray],
    factors: pd.DataFrame,
    kinds: Mapping[str, str],
    levels: Mapping[str, str],
    *,
    units: Mapping[str, str] = NONE,
    names: Mapping[str, tuple[str, ...]] = NONE,
    missing: Collection[str] = (),
    provenance: Mapping[str, object] = NONE,
) -> None:
    """Write a stimulus set, block by block; it appears at `path` complete or not at all.

    Parameters
    ----------
    images : iterable of array, (n, H, W, 3) or (n, eyes, H, W, 3) uint8
        In the order of `factors`.
    factors : DataFrame
        One row per image, with at least ``identity`` and ``split``. A text column is stored with
        its categories in alphabetical order, a column of dtype category in its own.
    kinds, levels : mapping of str
        The factors to store; those of several outputs under their common name.
    missing : collection of str
        The factors that may lack values.

    Raises
    ------
    ValueError
        When images and factors disagree; nothing is written then.
    OSError
        When the disk is full or not writable; in one line.
    """
    table = Table(
        factors=factors.reset_index(drop=True),
        kinds=dict(kinds),
        levels=dict(levels),
        units=units,
        names=names,
        missing=missing,
    )
    check(table)
    images = iter(images)
    first = next(images, None)
    if first is None:
        raise ValueError(f"there are no images for {len(factors)} rows of factors")
    size = int(first[:1].nbytes * len(factors) + factors.memory_usage(deep=True).sum())
    with aside(path) as part:
        # Reserved twice: opening the file for writing gives the first reservation back.
        reserve(part, size + SPARE_BYTES)
        with h5py.File(part, "w", libver=FORMAT) as file:
            reserve(part, size + SPARE_BYTES)
            file.attrs["version"] = VERSION
            file.attrs["provenance"] = json.dumps(dict(provenance), sort_keys=True)
            store(file.create_group("factors"), table)
            if "file" in table.factors:
                file["files"] = np.char.encode(table.factors["file"].to_numpy(dtype=str), "utf-8")
            _stream(file, chain([first], images), len(table.factors))
            file.flush()
            size = file.id.get_filesize()
        os.truncate(part, size)


def _read(path: Path, file: h5py.File) -> Stimuli:
    if file.attrs.get("version") != VERSION:
        raise ValueError(f"its version is {file.attrs.get('version')}, not {VERSION}")
    for name in ("images", "factors"):
        if name not in file:
            raise ValueError(f"it has no {name!r}")
    eyes = ("left", "right") if "images_right" in file else ("left",)
    table = load(file["factors"])
    check(table)
    shape = (len(table.factors), *file["images"].shape[1:3], 3)
    for name in ("images", "images_right")[: len(eyes)]:
        if file[name].shape != shape or file[name].dtype != np.uint8:
            raise ValueError(f"{name} are {file[name].dtype} {file[name].shape}, not uint8 {shape}")
    if "files" in file:
        table.factors["file"] = np.char.decode(file["files"][:], "utf-8")
    return Stimuli(
        path=path,
        factors=table.factors,
        outputs=table.outputs,
        kinds=dict(table.kinds),
        levels=dict(table.levels),
        size_px=shape[1:3],
        eyes=eyes,
        names=dict(table.names),
        provenance=json.loads(file.attrs["provenance"]),
    )


def _stream(file: h5py.File, images: Iterable[np.ndarray], count: int) -> None:
    """Write blocks of images one after the other."""
    done = 0
    for block in images:
        block = block if block.ndim == 5 else block[:, None]
        if block.ndim != 5 or block.dtype != np.uint8 or block.shape[4] != 3:
            raise ValueError(f"images are {block.dtype} {block.shape}, not uint8 (n, H, W, 3)")
        for eye, name in enumerate(("images", "images_right")[: block.shape[1]]):
            if not done:
                size = block.shape[2:]
                chunks = (min(CHUNK, count), *size)
                file.create_dataset(name, (count, *size), np.uint8, chunks=chunks)
            if file[name].shape[1:] != block.shape[2:] or done + len(block) > count:
                raise ValueError(
                    f"images {done} … {done + len(block) - 1} are {block.shape[2:]}; "
                    f"expected were {count} of {file[name].shape[1:]}"
                )
            file[name][done : done + len(block)] = block[:, eye]
        done += len(block)
    if done != count:
        raise ValueError(f"there are {done} images for {count} rows of factors")
