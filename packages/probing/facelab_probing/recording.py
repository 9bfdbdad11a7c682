"""Recording every layer's response to every image, in one pass, into one HDF5 file.

The file's format is told in `ledger`; it is read with `recordings`.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor
from tqdm import tqdm

from facelab_probing.ledger import Ledger, Plan, Sheet, key_of, lay_out
from facelab_probing.recordings import Recording, read
from facelab_probing.reduction import Reduction
from facelab_probing.responses import Blocks, Survey, batches, fingerprint, peek, show, survey

DTYPES = ("float32", "float16")
LARGEST_HALF = 65504.0


def record(
    net: nn.Module,
    blocks: Blocks,
    layers: Sequence[str],
    path: Path,
    *,
    ids: np.ndarray,
    images_digest: str,
    labels: Mapping[str, np.ndarray] | None = None,
    attributes: Mapping[str, object] | None = None,
    dtype: str = "float32",
    batch: int = 64,
    reduction: Reduction | None = None,
    scratch: Path | None = None,
) -> Recording:
    """Record all layers in one pass over the images; continue where a killed run stopped.

    Memory does not depend on the number of images. The file appears when it is complete, with
    the same bytes however often the run was interrupted; a run that finds it complete, or
    partly written, with other content begins anew.

    Parameters
    ----------
    net : Module
        In [0, 1] RGB images; recorded in evaluation mode, on the device where it is.
    blocks : iterable of (array (n,), array (n, H, W, 3))
        Image ids and images uint8, in the order of `ids`.
    layers : sequence of str
        Dotted names, in the order to be stored.
    path : Path
        The file to write.
    ids : array, (N,)
        All image ids.
    images_digest : str
        Hash of the images, so that other images under the same ids are noticed.
    labels, attributes : mapping, optional
        Arrays (N, ...) to store alongside; anything else worth saying, in json types.
    dtype : str
        "float32" or "float16".
    batch : int
        Images per forward pass.
    reduction : Reduction, optional
        Store scores (N, k) on these components instead of the responses.
    scratch : Path, optional
        Folder of the unfinished file; default that of `path`.

    Raises
    ------
    ValueError
        If a layer, label, image id or dtype does not fit, or the reduction is another
        network's or was fitted on identities that `labels` puts in validation or testing.
    OSError
        If the disk cannot hold the recording.
    """
    plan = Plan(
        ids=np.asarray(ids),
        sheets={},
        dtype=dtype,
        labels={name: np.asarray(values) for name, values in (labels or {}).items()},
        attributes=dict(attributes or {}),
    )
    _check(plan)
    network = fingerprint(net)
    if reduction is not None:
        plan.attributes["reduction"] = _describe(reduction, network, layers, plan.labels)
    shape, blocks = peek(blocks)
    found = survey(net, layers, shape)
    plan.sheets.update({name: _sheet(name, found.shapes[name], reduction) for name in layers})
    key = _key(plan, (network, found.levels, found.channels_last, images_digest, shape, batch))
    if key_of(path) == key:
        return read(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(path, scratch)
    if key_of(unfinished) != key:
        lay_out(unfinished, plan, key)
    with Ledger(unfinished) as ledger:
        hear = _listeners(ledger, plan, batch, reduction)
        _fill(net, batches(blocks, plan.ids, batch, ledger.rows), hear, ledger, found)
        ledger.finish(path)
    return read(path)


def _check(plan: Plan) -> None:
    if plan.dtype not in DTYPES:
        raise ValueError(f"unknown dtype {plan.dtype!r}; choose from {', '.join(DTYPES)}")
    if plan.ids.ndim != 1 or not len(plan.ids) or plan.ids.dtype.kind not in "iu":
        raise ValueError(
            f"ids must be a non-empty list of integers; they are {plan.ids.dtype} of shape "
            f"{plan.ids.shape}"
        )
    for name, values in plan.labels.items():
        if len(values) != len(plan.ids):
            raise ValueError(f"label {name!r} has {len(values)} rows for {len(plan.ids)} images")


def _describe(
    reduction: Reduction, network: str, layers: Sequence[str], labels: Mapping[str, np.ndarray]
) -> dict[str, object]:
    """Check that the reduction may be used here, and say where it comes from."""
    if reduction.network != network:
        raise ValueError("the reduction was fitted on another network; fit it on this one")
    missing = [name for name in layers if name not in reduction.axes]
    if missing:
        raise ValueError(f"no components for {missing}; the reduction has {list(reduction.axes)}")
    if "identity" in labels and "split" in labels:
        reduction.refuse_leak(labels["identity"], labels["split"])
    return {"identities": reduction.identities.tolist(), "digest": reduction.digest()}


def _sheet(name: str, shape: tuple[int, ...], reduction: Reduction | None) -> Sheet:
    if reduction is None:
        return Sheet(shape=shape, units=math.prod(shape))
    axes = reduction.axes[name]
    return Sheet(
        shape=shape,
        units=len(axes.components),
        arrays={"variance": axes.variance, "captured": axes.captured},
        notes={"fitted_rows": axes.rows, "reason": axes.reason},
    )


def _key(plan: Plan, circumstances: tuple[object, ...]) -> str:
    """Hash everything that the content of the recording depends on."""
    sheets = [(name, sheet.shape, sheet.units) for name, sheet in plan.sheets.items()]
    said = (circumstances, sheets, plan.dtype, sorted(plan.attributes.items()))
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for name, values in {"": plan.ids, **plan.labels}.items():
        values = values if values.dtype.kind in "biuf" else values.astype(str)
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _unfinished(path: Path, scratch: Path | None) -> Path:
    if scratch is None:
        return path.with_name(path.name + ".partial")
    scratch.mkdir(parents=True, exist_ok=True)
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    return scratch / f"{path.name}.{place}.partial"


def _listeners(
    ledger: Ledger, plan: Plan, batch: int, reduction: Reduction | None
) -> dict[str, Callable[[int, Tensor], None]]:
    """Make what writes each layer's response: one copy puts it in C order and in its dtype."""
    widest = max(math.prod(sheet.shape) for sheet in plan.sheets.values())
    page = torch.empty(batch * widest, dtype=getattr(torch, plan.dtype))

    def hear(name: str, row: int, response: Tensor) -> None:
        if response.shape[1:] != plan.sheets[name].shape:
            raise ValueError(
                f"layer {name!r} responds with {tuple(response.shape[1:])} to an image at row "
                f"{row}, but with {plan.sheets[name].shape} to the first"
            )
        units = response if reduction is None else reduction.project(name, response)
        if plan.dtype == "float16" and max(map(abs, units.aminmax())) > LARGEST_HALF:
            raise ValueError(f"layer {name!r} exceeds {LARGEST_HALF:g}; record it as float32")
        written = page[: units.numel()].view(units.shape).copy_(units)
        ledger.write(name, row, written.flatten(1).numpy())

    return {name: partial(hear, name) for name in plan.sheets}


def _fill(
    net: nn.Module,
    images: Iterable[tuple[int, np.ndarray]],
    hear: dict[str, Callable[[int, Tensor], None]],
    ledger: Ledger,
    found: Survey,
) -> None:
    what = f"record {len(hear)} layers"
    with tqdm(total=ledger.count, initial=ledger.rows, desc=what, unit="image") as bar:

        def advance(rows: int) -> None:
            ledger.advance(rows)
            bar.update(rows - bar.n)

        show(net, images, hear, channels_last=found.channels_last, done=advance)
