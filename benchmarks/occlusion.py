"""Discrepancy maps beside captum's and beside showing every occluded image in batches.

Occluders are 11 px and black, `stride_px` apart for single units; for all units at once there are
about `across` of them along a side. The peers' networks end at the layer, keep their weights
channels last, and work at whichever batch of `BATCHES` suits them best. Captum is timed on squares
of `captum_px` side by side, and the dense sweep on one batch; what all occluders would take follows
from what one takes. Nothing is counted for painting the occluders of the dense sweep, nor for
reading off its drops.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torchvision
from facelab_models.trunks.resnet import RESNETS
from facelab_probing.discrepancies import Maps
from facelab_probing.occluders import Occluder
from facelab_probing.occlusion import Subject, map_all, map_units, prepare
from torch import Tensor
from torchvision.models.feature_extraction import create_feature_extractor

from benchmarks.table import Row, at_least, missing
from benchmarks.timing import Spread, compare, peer, take_turns

CAPTUM = "captum Occlusion"
BATCHES = (1, 8, 32)
COMPARED = 16
"""Occluders under which all units are compared with the dense sweep."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A layer of a network, and how many times faster than the peers it should be; 0: untold."""

    network: str
    layer: str
    px: int
    captum: float
    dense: float


@dataclass(frozen=True, kw_only=True)
class Size:
    """What to measure, how often, and how far apart the occluders are."""

    cases: tuple[Case, ...]
    stride_px: int
    across: int
    captum_px: int
    repeats: int


EARLY, MIDDLE, LAST = (1000, 8), (60, 8), (12, 3)
RESIDUAL = (2.5, 2.5)
"""What is hoped for beside captum and beside the dense sweep; in the last residual stage, less."""


def _cases(network: str, px: int, layers: tuple[str, ...], *hopes: tuple[float, float]) -> tuple:
    """Ask some layers, each with what is hoped for."""
    return tuple(
        Case(network=network, layer=layer, px=px, captum=captum, dense=dense)
        for layer, (captum, dense) in zip(layers, hopes, strict=True)
    )


FULL = Size(
    cases=(
        *_cases("alexnet", 227, ("features.0", "features.6", "features.10"), EARLY, MIDDLE, LAST),
        *_cases(
            "squeezenet1_0", 227, ("features.3", "features.8", "features.12"), EARLY, MIDDLE, LAST
        ),
        *_cases(
            "squeezenet1_1", 227, ("features.3", "features.9", "features.12"), EARLY, MIDDLE, LAST
        ),
        *_cases("resnet10_thin", 112, ("block2", "block4", "block8"), (0, 0), (0, 0), RESIDUAL),
        *_cases("resnet18", 224, ("layer1.0", "layer2", "layer4"), EARLY, MIDDLE, RESIDUAL),
    ),
    stride_px=3,
    across=25,
    captum_px=36,
    repeats=3,
)
TOY = Size(
    cases=(Case(network="resnet18", layer="layer1", px=48, captum=1, dense=1),),
    stride_px=12,
    across=2,
    captum_px=16,
    repeats=1,
)


def measure(size: Size) -> list[Row]:
    """Map one unit, then all units, of every case."""
    return [row for case in size.cases for row in (_one(case, size), _all(case, size))]


def _one(case: Case, size: Size) -> Row:
    """Map a unit in the middle of the map: the dearest place."""
    subject, image, ending = _prepared(case)
    how, wide = _occluder(size.stride_px), _occluder(size.captum_px, size.captum_px, "captum")
    unit, place = _central(subject, image, case)
    count, few = len(how.places(case.px)) ** 2, len(wide.places(case.px)) ** 2
    told = f"{case.network} {case.layer}, {case.px} px, 1 unit, {count} occluders"
    captum = peer("captum.attr")
    if not captum:
        return missing("discrepancy map", told, CAPTUM)
    ours = partial(map_units, subject, image, units={case.layer: [unit]}, rng=_rng())
    theirs = partial(_captum, captum, ending, image, (wide, unit, place))
    batch = _best({each: partial(theirs, each) for each in BATCHES})
    jobs = {"facelab": partial(ours, how), "captum": partial(theirs, batch)}
    seconds = take_turns(jobs, size.repeats)
    seconds["captum"] *= (count + 1) / (few + 1)  # it shows the bare image too
    known = theirs(batch)
    apart = np.abs(ours(wide)[case.layer].painted(known.shape)[0] - known).max()
    return Row(
        job="discrepancy map",
        size=told,
        facelab=f"{np.median(seconds['facelab']):.3g} s",
        peer=f"{CAPTUM}, {batch} per pass",
        theirs=f"{np.median(seconds['captum']):.3g} s",
        agreement=f"≤ {apart / max(np.abs(known).max(), 1e-12):.1g} of the largest drop",
        **_held(case.captum, compare(seconds["captum"], seconds["facelab"])),
    )


@torch.inference_mode()
def _all(case: Case, size: Size) -> Row:
    """Map all units of the layer at once."""
    subject, image, ending = _prepared(case)
    how = _occluder(max((case.px - 11) // (size.across - 1), 1))
    count = len(how.places(case.px)) ** 2
    dense = {n: partial(ending, _copies(image, n)) for n in BATCHES}
    batch = _best(dense, per_image=True)
    ours = partial(map_all, subject, image, how, rng=_rng())
    seconds = take_turns({"facelab": ours, "dense": dense[batch]}, size.repeats)
    seconds["dense"] *= count / batch
    found: Maps = ours()[case.layer]
    return Row(
        job="discrepancy maps",
        size=f"{case.network} {case.layer}, {case.px} px, {len(found.units)} units, "
        f"{count} occluders",
        facelab=f"{np.median(seconds['facelab']):.3g} s",
        peer=f"dense, batches of {batch}",
        theirs=f"{np.median(seconds['dense']):.3g} s",
        agreement=f"≤ {_apart(found, ending, image):.1g} of the largest drop",
        **_held(case.dense, compare(seconds["dense"], seconds["facelab"])),
    )


def _prepared(case: Case) -> tuple[Subject, Tensor, Callable[[Tensor], Tensor]]:
    """Prepare the network, an image (3, px, px), and the network as far as the layer."""
    torch.manual_seed(0)
    thin = case.network in RESNETS and case.network not in torchvision.models.list_models()
    net = RESNETS[case.network]().net if thin else torchvision.models.get_model(case.network)
    net = net.eval().to(memory_format=torch.channels_last)
    extract = create_feature_extractor(net, {case.layer: "out"})
    subject = prepare(net, [case.layer], (case.px, case.px))
    return subject, torch.rand(3, case.px, case.px), lambda images: extract(images)["out"]


def _central(subject: Subject, image: Tensor, case: Case) -> tuple[int, tuple[int, int]]:
    """Find the unit that responds most near the middle, and where."""
    once = map_all(subject, image, _occluder(case.px), rng=_rng())[case.layer]  # one occluder
    middle = once.places.max(axis=0) / 2
    unit = int(np.abs(once.places - middle).sum(axis=1).argmin())
    return unit, tuple(once.places[unit].tolist())


@torch.inference_mode()
def _captum(
    captum: object, ending: Callable, image: Tensor, asked: tuple, batch: int
) -> np.ndarray:
    how, unit, (row, column) = asked
    probe = captum.Occlusion(lambda images: ending(images)[:, unit, row, column])
    window, stride = (3, how.size_px, how.size_px), (3, how.stride_px, how.stride_px)
    options = {"strides": stride, "perturbations_per_eval": batch}
    return probe.attribute(_copies(image, 1), window, **options)[0, 0].numpy()


def _best(jobs: dict[int, Callable[[], object]], *, per_image: bool = False) -> int:
    """Find the batch that suits a peer best."""
    for job in jobs.values():
        job()  # a first call may be slower
    seconds = take_turns(jobs, 1)
    return min(jobs, key=lambda batch: seconds[batch][0] / (batch if per_image else 1))


def _apart(found: Maps, ending: Callable[[Tensor], Tensor], image: Tensor) -> float:
    """Say how far drops are from those of images shown whole, as a part of the largest."""
    corners = [(row, column) for row in found.rows for column in found.columns]
    chosen = np.linspace(0, len(corners) - 1, COMPARED).astype(int)
    images = _copies(image, len(chosen) + 1)
    for shown, one in zip(images[1:], chosen, strict=True):
        row, column = corners[one]
        shown[:, row : row + found.size_px, column : column + found.size_px] = 0
    maps = ending(images)[:, found.units, found.places[:, 0], found.places[:, 1]]
    drops = (maps[:1] - maps[1:]).T.numpy()
    ours = found.drops.reshape(len(found.units), -1)[:, chosen]
    return np.abs(ours - drops).max() / np.abs(found.drops).max()


def _held(hope: float, ratio: Spread) -> dict[str, object]:
    return at_least(hope, ratio) if hope else {"ratio": ratio}


def _copies(image: Tensor, count: int) -> Tensor:
    return image.repeat(count, 1, 1, 1).contiguous(memory_format=torch.channels_last)


def _occluder(stride_px: int, size_px: int = 11, grid: str = "floor") -> Occluder:
    return Occluder(
        size_px=size_px, stride_px=stride_px, filling="black", grid=grid, reduction="at_maximum"
    )


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)
