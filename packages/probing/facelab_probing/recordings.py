"""Reading recordings: every layer's response to every image.

Row i of each layer is the response to image `images[i]`. The format is told in `ledger`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from facelab_probing.ledger import FORMAT, VERSION

READ_BYTES = 2**24
"""What is read at a time when only some rows are wanted."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A finished recording; units are read when asked for.

    Attributes
    ----------
    layers : tuple of str
        In the order recorded.
    shapes : dict of tuple
        Shape of one image's response in each layer, before any reduction.
    images : array, (N,)
        The image id of each row.
    labels : dict of array, (N, ...)
        What was stored alongside: split, identity, …
    attributes : dict
        What the recorder said of it; a reduction adds its own under "reduction".
    key : str
        Hash of everything that the content depends on.
    """

    path: Path
    layers: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    images: np.ndarray
    labels: dict[str, np.ndarray]
    attributes: dict[str, object]
    key: str

    def units(self, layer: str, rows: np.ndarray | None = None) -> np.ndarray:
        """Read a layer's responses, (N, U) or (len(rows), U), float32.

        Parameters
        ----------
        layer : str
            As in `layers`.
        rows : array of int or bool, optional
            Rows of the recording, in the order wanted; default all.

        Raises
        ------
        ValueError
            If the layer was not recorded.
        """
        with h5py.File(self.path) as file:
            stored = self._group(file, layer)["units"]
            if rows is None:
                return stored[:].astype(np.float32, copy=False)
            rows = np.arange(len(self.images))[rows]
            step = max(READ_BYTES // max(stored.shape[1] * 4, 1), 1)
            units = np.empty((len(rows), stored.shape[1]), np.float32)
            order = np.argsort(rows, kind="stable")
            for part in np.array_split(order, range(step, len(order), step)):
                _read_rows(stored, rows, part, units)
            return units

    def components(self, layer: str) -> dict[str, np.ndarray]:
        """Read what a reduction says of a layer's components; empty without a reduction.

        Returns
        -------
        components : dict of array, (k,)
            `variance` along each, and the share `captured` of the layer's total variance.
        """
        with h5py.File(self.path) as file:
            group = self._group(file, layer)
            return {name: group[name][:] for name in ("variance", "captured") if name in group}

    def _group(self, file: h5py.File, layer: str) -> h5py.Group:
        if layer not in self.layers:
            raise ValueError(f"no layer {layer!r} in {self.path}; it has {', '.join(self.layers)}")
        return list(file["layers"].values())[self.layers.index(layer)]


def _read_rows(stored: h5py.Dataset, rows: np.ndarray, part: np.ndarray, units: np.ndarray) -> None:
    """Fill `units[part]` with the stored rows: from one span if they lie close together."""
    if not len(part):
        return
    low, high = rows[part[0]], rows[part[-1]] + 1
    if high - low <= 4 * len(part):
        units[part] = stored[low:high][rows[part] - low]
        return
    for place in part:
        units[place] = stored[rows[place]]


def read(path: Path) -> Recording:
    """Open a finished recording.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file; if it is truncated, unfinished or something else.
    """
    if not path.exists():
        raise FileNotFoundError(f"no recording at {path}")
    try:
        with h5py.File(path) as file:
            return _describe(path, file)
    except (OSError, KeyError) as error:
        raise ValueError(f"{path} is not a whole {FORMAT}: {error}") from None


def _describe(path: Path, file: h5py.File) -> Recording:
    if file.attrs["format"] != FORMAT or file.attrs["version"] != VERSION:
        raise KeyError(f"it is a {file.attrs['format']!r}, version {file.attrs['version']}")
    images, rows = file["image"][:], int(file["rows"][0])
    if rows < len(images):
        raise ValueError(f"{path} is unfinished: {rows} of {len(images)} images are recorded")
    groups = list(file["layers"].values())
    return Recording(
        path=path,
        layers=tuple(group.attrs["name"] for group in groups),
        shapes={g.attrs["name"]: tuple(g.attrs["shape"].tolist()) for g in groups},
        images=images,
        labels={name: _read_label(stored) for name, stored in file["labels"].items()},
        attributes=json.loads(file["attributes"][()]),
        key=file.attrs["key"],
    )


def _read_label(stored: h5py.Dataset) -> np.ndarray:
    if "categories" not in stored.attrs:
        return stored[:]
    return np.array(json.loads(stored.attrs["categories"]))[stored[:]]
