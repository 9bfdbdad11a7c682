"""Principal components of rows that arrive in batches, beside two incremental PCAs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from facelab_probing.principal import Axes, Stream
from sklearn.decomposition import IncrementalPCA
from torch import Tensor

from benchmarks.table import Row, at_least, missing
from benchmarks.timing import compare, peer, take_turns

SKLEARN, TORCH = "scikit-learn IncrementalPCA", "torch-incremental-pca (gram)"
LOSS = 1e-4
DECAY = 0.6
NOISE = 0.02


@dataclass(frozen=True, kw_only=True)
class Size:
    """Rows of so many units, in batches."""

    rows: int
    units: int
    components: int
    batch: int
    repeats: int


FULL = Size(rows=4096, units=12_288, components=256, batch=512, repeats=5)
TOY = Size(rows=128, units=64, components=8, batch=32, repeats=1)


def measure(size: Size) -> list[Row]:
    """Compare time, and the share of variance that the components found capture."""
    rows = _rows(size)
    found: dict[str, np.ndarray] = {}
    jobs: dict[str, Callable[[], None]] = {
        "facelab": lambda: found.update(ours=_stream(rows, size).components.double().numpy()),
        SKLEARN: lambda: found.update({SKLEARN: _sklearn(rows, size).components_}),
    }
    module = peer("torch_incremental_pca")
    if module:
        jobs[TORCH] = lambda: found.update({TORCH: _torch(module, rows, size)})
    seconds = take_turns(jobs, size.repeats)
    ours = seconds.pop("facelab")
    captured = {name: _captured(rows, components) for name, components in found.items()}
    told = f"{size.rows} × {size.units}, {size.components} components, batches of {size.batch}"
    made = [
        Row(
            job="principal components",
            size=told,
            facelab=f"{np.median(ours):.2f} s",
            peer=name,
            theirs=f"{np.median(theirs):.2f} s",
            agreement=f"variance {captured['ours']:.5f}, peer's {captured[name]:.5f}",
            **_target(name, theirs, ours, captured),
        )
        for name, theirs in seconds.items()
    ]
    return made if module else [*made, missing("principal components", told, TORCH)]


def _target(
    name: str, theirs: np.ndarray, ours: np.ndarray, captured: dict[str, float]
) -> dict[str, object]:
    """Hold the comparison with scikit-learn to speed and variance, the other to nothing."""
    ratio = compare(theirs, ours)
    if name != SKLEARN:
        return {"ratio": ratio}
    held = at_least(8, ratio)
    enough = captured["ours"] >= captured[SKLEARN] - LOSS
    target = f"{held['target']}, variance ≥ peer's − {LOSS:g}"
    return held | {"target": target, "met": held["met"] and enough}


def _stream(rows: Tensor, size: Size) -> Axes:
    stream = Stream(size.units, size.components, size.batch)
    for batch in rows.split(size.batch):
        stream.add(batch)
    return stream.axes()


def _sklearn(rows: Tensor, size: Size) -> IncrementalPCA:
    pca = IncrementalPCA(size.components)
    for batch in rows.split(size.batch):
        pca.partial_fit(batch.numpy())
    return pca


def _torch(module: object, rows: Tensor, size: Size) -> np.ndarray:
    pca = module.IncrementalPCA(size.components, gram=True)
    for batch in rows.split(size.batch):
        pca.partial_fit(batch)
    return pca.components_.double().numpy()


def _captured(rows: Tensor, components: np.ndarray) -> float:
    """Give the share of variance that orthonormal components (k, U) capture."""
    centred = rows.double() - rows.double().mean(0)
    inside = (centred @ torch.from_numpy(components.T.astype(np.float64))).square().sum()
    return float(inside / centred.square().sum())


def _rows(size: Size) -> Tensor:
    """Draw rows whose variances fall as a power law, over a floor of noise, as activations' do."""
    chance = torch.Generator().manual_seed(0)
    rank = min(size.rows, size.units, 4 * size.components)
    scale = torch.arange(1, rank + 1) ** -DECAY
    draws = torch.randn(size.rows, rank, generator=chance) * scale
    mixing = torch.randn(rank, size.units, generator=chance) / size.units**0.5
    noise = torch.randn(size.rows, size.units, generator=chance)
    return draws @ mixing + NOISE / size.units**0.5 * noise
