"""Streaming PCA of all layers in one pass, fitted on training identities only.

A reduction that has seen a test identity has leaked it: everything decoded from its scores
is then too good. So `fit` looks up the split of every image it is given, and a reduction
carries the identities it was fitted on and the network that it belongs to.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
import torch.nn as nn
from torch import Tensor
from tqdm import tqdm

from facelab_probing import files
from facelab_probing.principal import Axes, Stream
from facelab_probing.responses import Blocks, batches, fingerprint, peek, show, survey

FORMAT = "facelab reduction"
STACK_BYTES = 2**30
"""What one layer's stack of rows may take before fewer are merged at a time."""
EXACT_ROWS, EXACT_BYTES = 2048, 2**28
"""Up to here all rows of a layer are merged at once, and the components are exact."""


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """Principal components of each layer of one network.

    Attributes
    ----------
    axes : dict of Axes
        By layer, in the order they were asked for.
    identities : array of int
        The identities fitted on, sorted.
    network : str
        Fingerprint of the network fitted on.
    """

    axes: dict[str, Axes]
    identities: np.ndarray
    network: str

    def project(self, layer: str, responses: Tensor) -> Tensor:
        """Turn a layer's responses (n, ...) into scores (n, k)."""
        return self.axes[layer].project(responses.flatten(1))

    def digest(self) -> str:
        """Hash the components."""
        digest = hashlib.sha256(self.network.encode())
        for axes in self.axes.values():
            digest.update(axes.mean.numpy().data)
            digest.update(axes.components.numpy().data)
        return digest.hexdigest()

    def refuse_leak(self, identity: np.ndarray, split: np.ndarray) -> None:
        """Refuse images of validation or testing whose identities were fitted on, as `fit` does.

        Raises
        ------
        ValueError
            If there are any; the message names the identities.
        """
        _refuse_shared(self.identities, identity, split)


def fit(
    net: nn.Module,
    blocks: Blocks,
    layers: Sequence[str],
    components: int,
    *,
    ids: np.ndarray,
    identity: np.ndarray,
    split: np.ndarray,
    batch: int = 64,
) -> Reduction:
    """Find the principal components of every layer in one pass over training images.

    Parameters
    ----------
    net : Module
        Shown the images in evaluation mode, on the device where it is.
    blocks : iterable of (array (n,), array (n, H, W, 3))
        Image ids and images uint8, in the order of `ids`.
    layers : sequence of str
        Dotted names.
    components : int
        k, components per layer. Fewer are kept, and `Axes.reason` says why, where a layer has
        fewer units or the images span fewer dimensions.
    ids : array, (N,)
        The images to fit on.
    identity, split : array, (M,)
        Identity and split of every image of the set: entry i belongs to image i.
    batch : int
        Images per forward pass.

    Returns
    -------
    reduction : Reduction
        Exact if N is small; else as close as one pass allows, see `principal`.

    Raises
    ------
    ValueError
        If an image is not a training image, or its identity occurs in validation or testing.
    """
    ids, identity, split = np.asarray(ids), np.asarray(identity), np.asarray(split).astype(str)
    if components < 1:
        raise ValueError(f"components is {components}; at least 1 is needed")
    _refuse_other_splits(ids, split)
    fitted = np.unique(identity[ids])
    _refuse_shared(fitted, identity, split)
    shape, blocks = peek(blocks)
    found = survey(net, layers, shape)
    device = next((p.device for p in net.parameters()), None)
    streams = {
        name: _stream(int(np.prod(shape)), components, len(ids), device)
        for name, shape in found.shapes.items()
    }
    hear = {name: _listener(name, stream) for name, stream in streams.items()}
    with tqdm(total=len(ids), desc=f"fit PCA of {len(layers)} layers", unit="image") as bar:
        show(
            net,
            batches(blocks, ids, batch),
            hear,
            channels_last=found.channels_last,
            done=lambda rows: bar.update(rows - bar.n),
        )
    hear.clear()  # a stream is let go of as soon as its axes are known
    axes = {name: streams.pop(name).axes() for name in layers}
    return Reduction(axes=axes, identities=fitted, network=fingerprint(net))


def _stream(units: int, components: int, count: int, device: torch.device | None) -> Stream:
    """Choose how many rows to merge at a time: all, or some twice k, or fewer for a wide layer."""
    kept = min(components, units)
    if count <= 2 * kept or (count <= EXACT_ROWS and count * units * 4 <= EXACT_BYTES):
        return Stream(units, components, count, device)
    affordable = STACK_BYTES // (4 * units) - kept - 1
    return Stream(units, components, int(np.clip(affordable, -(-kept // 2), 2 * kept)), device)


def _listener(name: str, stream: Stream) -> Callable[[int, Tensor], None]:
    def hear(_: int, response: Tensor) -> None:
        try:
            stream.add(response)
        except ValueError as error:
            raise ValueError(f"layer {name!r}: {error}") from None

    return hear


def _refuse_other_splits(ids: np.ndarray, split: np.ndarray) -> None:
    if not len(ids):
        raise ValueError("no images to fit on")
    if ids.min() < 0 or ids.max() >= len(split):
        raise ValueError(f"image ids run from {ids.min()} to {ids.max()}; the set has {len(split)}")
    others = ids[split[ids] != "training"]
    if len(others):
        kinds = ", ".join(sorted(set(split[others])))
        raise ValueError(
            f"a PCA is fitted on training images only; {len(others)} of {len(ids)} are not, "
            f"the first is image {others[0]} ({kinds})"
        )


def _refuse_shared(fitted: np.ndarray, identity: np.ndarray, split: np.ndarray) -> None:
    unseen = np.isin(np.asarray(split).astype(str), ["validation", "testing"])
    shared = np.intersect1d(fitted, np.asarray(identity)[unseen])
    if len(shared):
        named = ", ".join(map(str, shared[:5])) + (" …" if len(shared) > 5 else "")
        raise ValueError(
            "a PCA must not see the identities of validation and testing; "
            f"{len(shared)} of those fitted on are there ({named})"
        )


def save(reduction: Reduction, path: Path) -> None:
    """Write a reduction to HDF5, complete or not at all.

    Group per layer, `<index>_<name>`, with datasets mean (U,), components (k, U),
    variance (k,), unit_variance (U,) and attributes name, rows, reason; dataset
    identities; attributes format and network.
    """
    with files.create(path) as file:
        file.attrs.update({"format": FORMAT, "network": reduction.network})
        file["identities"] = reduction.identities
        for index, (name, axes) in enumerate(reduction.axes.items()):
            arrays = {
                "mean": axes.mean.numpy(),
                "components": axes.components.numpy(),
                "variance": axes.variance,
                "unit_variance": axes.unit_variance,
            }
            files.reserve(file, sum(values.nbytes for values in arrays.values()))
            group = file.create_group(f"layers/{index:04d}_{name.replace('/', '|')}")
            group.attrs.update({"name": name, "rows": axes.rows, "reason": axes.reason})
            for array, values in arrays.items():
                group[array] = values


def load(path: Path) -> Reduction:
    """Read what `save` wrote.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file; if it is truncated or something else.
    """
    if not path.exists():
        raise FileNotFoundError(f"no reduction at {path}")
    try:
        with h5py.File(path) as file:
            if file.attrs["format"] != FORMAT:
                raise KeyError(FORMAT)
            axes = {group.attrs["name"]: _load_axes(group) for group in file["layers"].values()}
            return Reduction(
                axes=axes, identities=file["identities"][:], network=file.attrs["network"]
            )
    except (OSError, KeyError) as error:
        raise ValueError(f"{path} is not a whole {FORMAT}: {error}") from None


def _load_axes(group: h5py.Group) -> Axes:
    return Axes(
        mean=torch.from_numpy(group["mean"][:]),
        components=torch.from_numpy(group["components"][:]),
        variance=group["variance"][:],
        unit_variance=group["unit_variance"][:],
        rows=int(group.attrs["rows"]),
        reason=group.attrs["reason"],
    )
