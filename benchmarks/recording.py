"""Recording five layers of a network in one pass, to disk, beside a bare forward pass."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torchvision
from facelab_probing.recording import record
from facelab_probing.responses import as_tensor
from torch import Tensor, nn
from torchvision.models.feature_extraction import create_feature_extractor

from benchmarks.table import Row, missing
from benchmarks.timing import compare, peak_mb, peer, spread, take_turns

LAYERS = ("maxpool", "layer1", "layer2", "layer3", "layer4")
BATCH = 64
OVER_FORWARD, GROWTH_MB = 1.10, 50
CAPTUM, TORCHLENS = "captum LayerActivation", "torchlens extract_dataset"


@dataclass(frozen=True, kw_only=True)
class Size:
    """Images of `px` pixels; `few` of them for torchlens, `many` to watch the memory."""

    images: int
    few: int
    many: int
    px: int
    repeats: int


FULL = Size(images=512, few=64, many=2048, px=112, repeats=5)
TOY = Size(images=8, few=4, many=16, px=32, repeats=1)


def measure(size: Size) -> list[Row]:
    """Compare with the forward pass alone and with three peers; watch the memory."""
    images, net = _images(size.images, size.px), _network()
    jobs: dict[str, Callable[[], object]] = {
        "forward pass alone": partial(_forward, net, images),
        "torchvision extractor": partial(_extract, net, images),
    }
    captum = peer("captum.attr")
    if captum:
        jobs[CAPTUM] = partial(_activate, captum, net, images)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        jobs = {"facelab": partial(_record, net, images, folder), **jobs}
        seconds = take_turns(jobs, size.repeats)
        agreements = _agreements(captum, net, images[: size.few], folder)
        slow = _torchlens(size, net, images[: size.few], folder)
    ours = seconds.pop("facelab")
    rows = [
        Row(
            job="record 5 layers",
            size=_told(size.images, size.px),
            facelab=f"{np.median(ours):.2f} s",
            peer=name,
            theirs=f"{np.median(theirs):.2f} s",
            ratio=compare(theirs, ours),
            agreement=agreements.get(name, ""),
            **(_overhead(theirs, ours) if name == "forward pass alone" else {}),
        )
        for name, theirs in seconds.items()
    ]
    if not captum:
        rows.append(missing("record 5 layers", _told(size.images, size.px), CAPTUM))
    return [*rows, slow, _memory(size)]


def _overhead(forward: np.ndarray, ours: np.ndarray) -> dict[str, object]:
    """Say how much longer than the pass alone a recording takes."""
    over = spread(ours / forward).median
    return {"target": f"facelab ≤ {OVER_FORWARD:.2f}×, is {over:.2f}×", "met": over <= OVER_FORWARD}


def _memory(size: Size) -> Row:
    """Compare the most memory held while recording few and many images."""
    small, large = (peak_mb(_record_alone, count, size.px) for count in (size.images, size.many))
    return Row(
        job="record 5 layers: peak memory",
        size=f"{_told(size.images, size.px)}; {size.many}",
        facelab=f"{small:.0f} MB; {large:.0f} MB",
        target=f"grows < {GROWTH_MB} MB",
        met=large - small < GROWTH_MB,
    )


def _torchlens(size: Size, net: nn.Module, images: np.ndarray, folder: Path) -> Row:
    told = _told(len(images), size.px)
    torchlens = peer("torchlens")
    if not torchlens:
        return missing("record 5 layers", told, TORCHLENS)
    jobs = {
        "facelab": partial(_record, net, images, folder),
        "peer": partial(_extract_dataset, torchlens, net, images, folder),
    }
    seconds = take_turns(jobs, size.repeats)
    return Row(
        job="record 5 layers",
        size=told,
        facelab=f"{np.median(seconds['facelab']):.2f} s",
        peer=TORCHLENS,
        theirs=f"{np.median(seconds['peer']):.2f} s",
        ratio=compare(seconds["peer"], seconds["facelab"]),
    )


def _record_alone(count: int, px: int) -> None:
    """Record images that are made as they are asked for, in a process of its own."""
    torch.set_num_threads(1)

    def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, count, BATCH):
            rows = np.arange(start, min(start + BATCH, count))
            yield rows, _images(len(rows), px)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.h5"
        record(_network(), blocks(), LAYERS, path, ids=np.arange(count), images_digest="")


def _record(net: nn.Module, images: np.ndarray, folder: Path) -> dict[str, np.ndarray]:
    """Record afresh; give each layer's responses to the first batch."""
    ids, path = np.arange(len(images)), folder / "recording.h5"
    path.unlink(missing_ok=True)
    made = record(net, [(ids, images)], LAYERS, path, ids=ids, images_digest="")
    return {layer: made.units(layer, slice(0, BATCH)) for layer in LAYERS}


@torch.inference_mode()
def _forward(net: nn.Module, images: np.ndarray) -> None:
    for batch in _batches(net, images):
        net(batch)


@torch.inference_mode()
def _extract(net: nn.Module, images: np.ndarray) -> dict[str, Tensor]:
    extractor = create_feature_extractor(net, list(LAYERS))
    kept = [extractor(batch) for batch in _batches(net, images)]
    return kept[0]


@torch.inference_mode()
def _activate(captum: object, net: nn.Module, images: np.ndarray) -> dict[str, Tensor]:
    probe = captum.LayerActivation(net, [net.get_submodule(layer) for layer in LAYERS])
    kept = [probe.attribute(batch) for batch in _batches(net, images)]
    return dict(zip(LAYERS, kept[0], strict=True))


def _extract_dataset(torchlens: object, net: nn.Module, images: np.ndarray, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        pixels = torch.cat(list(_batches(net, images)))
        torchlens.extract_dataset(
            net, pixels, list(LAYERS), batch_size=BATCH, output_dir=place, progress=False
        )


def _agreements(captum: object, net: nn.Module, images: np.ndarray, folder: Path) -> dict[str, str]:
    """Say how far the peers' responses to a few images are from ours."""
    ours = _record(net, images, folder)
    theirs = {"torchvision extractor": _extract(net, images)}
    if captum:
        theirs[CAPTUM] = _activate(captum, net, images)
    return {
        name: f"≤ {max(_apart(ours[layer], found[layer]) for layer in LAYERS):.1g}"
        for name, found in theirs.items()
    }


def _apart(ours: np.ndarray, theirs: Tensor) -> float:
    return float(np.abs(ours - theirs.flatten(1).numpy()).max())


def _network() -> nn.Module:
    torch.manual_seed(0)
    return torchvision.models.resnet18().eval().to(memory_format=torch.channels_last)


def _images(count: int, px: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, px, px, 3), np.uint8)


def _batches(net: nn.Module, images: np.ndarray) -> Iterator[Tensor]:
    """Turn images into what the network takes, channels last, as a recording does."""
    for start in range(0, len(images), BATCH):
        yield as_tensor(net, images[start : start + BATCH])


def _told(images: int, px: int) -> str:
    return f"ResNet-18, {images} images of {px} px"
