"""Discrepancy maps beside captum's and beside showing every occluded image in batches.

Occluders are 11 px and black, `stride_px` apart for single units, `coarse_px` for all at once. The
peers' networks end at the layer. Captum is timed on occluders `captum_px` apart, and the dense
sweep on one batch; what they would take for all occluders follows from what one takes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torchvision
from facelab_probing.discrepancies import Maps
from facelab_probing.occluders import Occluder
from facelab_probing.occlusion import Subject, map_all, map_units, prepare
from torch import Tensor, nn
from torchvision.models.feature_extraction import create_feature_extractor

from benchmarks.table import Row, at_least, missing
from benchmarks.timing import compare, peer, take_turns

DENSE, CAPTUM = "dense, batches of 32", "captum Occlusion"
BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Case:
    """A layer of a torchvision network, and how many times faster than the peers it should be."""

    network: str
    layer: str
    px: int
    captum: float
    dense: float


@dataclass(frozen=True, kw_only=True)
class Size:
    """What to measure, how often, and how far apart the occluders of the slower jobs are."""

    cases: tuple[Case, ...]
    stride_px: int
    coarse_px: int
    captum_px: int
    repeats: int


FULL = Size(
    cases=(
        Case(network="alexnet", layer="features.0", px=227, captum=1000, dense=8),
        Case(network="alexnet", layer="features.6", px=227, captum=60, dense=8),
        Case(network="alexnet", layer="features.10", px=227, captum=12, dense=3),
        Case(network="squeezenet1_1", layer="features.4", px=227, captum=1000, dense=8),
        Case(network="squeezenet1_1", layer="features.7", px=227, captum=60, dense=8),
        Case(network="squeezenet1_1", layer="features.12", px=227, captum=12, dense=3),
        Case(network="resnet18", layer="layer2", px=224, captum=60, dense=3),
        Case(network="resnet18", layer="layer4", px=224, captum=2.5, dense=1),
    ),
    stride_px=3,
    coarse_px=12,
    captum_px=54,
    repeats=3,
)
TOY = Size(
    cases=(Case(network="resnet18", layer="layer1", px=48, captum=1, dense=1),),
    stride_px=12,
    coarse_px=20,
    captum_px=30,
    repeats=1,
)


def measure(size: Size) -> list[Row]:
    """Map one unit, then all units, of every case."""
    return [row for case in size.cases for row in (_one(case, size), _all(case, size))]


def _one(case: Case, size: Size) -> Row:
    """Map a unit in the middle of the map: the dearest place."""
    subject, image, how = *_prepared(case), _occluder(size.stride_px)
    unit, place, count = _central(subject, image, case)
    told = f"{_told(case)}, 1 unit, {count(size.stride_px)} occluders"
    captum = peer("captum.attr")
    if not captum:
        return missing("discrepancy map", told, CAPTUM)
    ours = partial(map_units, subject, image, how, {case.layer: [unit]}, rng=_rng())
    coarse = _occluder(size.captum_px, "captum")
    theirs = partial(
        _captum, captum, _ending(subject.net, case.layer), (image, coarse, unit, place)
    )
    seconds = take_turns({"facelab": ours, "captum": theirs}, size.repeats)
    scale = count(size.stride_px) / count(size.captum_px, "captum")
    apart = _apart(subject, image, coarse, (case.layer, unit), theirs())
    return Row(
        job="discrepancy map",
        size=told,
        facelab=f"{np.median(seconds['facelab']):.3g} s",
        peer=CAPTUM,
        theirs=f"{np.median(seconds['captum']) * scale:.3g} s",
        agreement=f"≤ {apart:.1g} of the largest drop",
        **at_least(case.captum, compare(seconds["captum"] * scale, seconds["facelab"])),
    )


def _all(case: Case, size: Size) -> Row:
    """Map all units of the layer at once."""
    subject, image = _prepared(case)
    how = _occluder(size.coarse_px)
    places = how.places(case.px)
    ending = _ending(subject.net, case.layer)
    images = image.expand(BATCH, -1, -1, -1).contiguous(memory_format=torch.channels_last)
    jobs: dict[str, Callable[[], object]] = {
        "facelab": lambda: map_all(subject, image, how, rng=_rng()),
        "dense": torch.inference_mode()(lambda: ending(images)),
    }
    seconds = take_turns(jobs, size.repeats)
    found: Maps = jobs["facelab"]()[case.layer]
    scale = len(places) ** 2 / BATCH
    return Row(
        job="discrepancy maps",
        size=f"{_told(case)}, {len(found.units)} units, {len(places) ** 2} occluders",
        facelab=f"{np.median(seconds['facelab']):.3g} s",
        peer=DENSE,
        theirs=f"{np.median(seconds['dense']) * scale:.3g} s",
        **at_least(case.dense, compare(seconds["dense"] * scale, seconds["facelab"])),
    )


def _prepared(case: Case) -> tuple[Subject, Tensor]:
    torch.manual_seed(0)
    net = torchvision.models.get_model(case.network).eval().to(memory_format=torch.channels_last)
    return prepare(net, [case.layer], (case.px, case.px)), torch.rand(3, case.px, case.px)


def _central(
    subject: Subject, image: Tensor, case: Case
) -> tuple[int, tuple[int, int], Callable[..., int]]:
    """Find the unit that responds most near the middle, where, and how to count occluders."""
    once = map_all(subject, image, _occluder(case.px), rng=_rng())[case.layer]  # one occluder
    middle = once.places.max(axis=0) / 2
    unit = int(np.abs(once.places - middle).sum(axis=1).argmin())

    def count(stride_px: int, grid: str = "floor") -> int:
        return len(_occluder(stride_px, grid).places(case.px)) ** 2

    return unit, tuple(once.places[unit].tolist()), count


def _captum(captum: object, ending: nn.Module, asked: tuple) -> np.ndarray:
    image, how, unit, (row, column) = asked
    probe = captum.Occlusion(lambda images: ending(images)["out"][:, unit, row, column])
    window, stride = (3, how.size_px, how.size_px), (3, how.stride_px, how.stride_px)
    return probe.attribute(image[None], window, strides=stride)[0, 0].numpy()


def _apart(
    subject: Subject, image: Tensor, how: Occluder, asked: tuple[str, int], theirs: np.ndarray
) -> float:
    """Say how far our map, painted as captum paints, is from captum's."""
    layer, unit = asked
    maps = map_units(subject, image, how, {layer: [unit]}, rng=_rng())[layer]
    return np.abs(maps.painted(theirs.shape)[0] - theirs).max() / max(np.abs(theirs).max(), 1e-12)


def _ending(net: nn.Module, layer: str) -> nn.Module:
    return create_feature_extractor(net, {layer: "out"})


def _occluder(stride_px: int, grid: str = "floor") -> Occluder:
    return Occluder(
        size_px=11, stride_px=stride_px, filling="black", grid=grid, reduction="at_maximum"
    )


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _told(case: Case) -> str:
    return f"{case.network} {case.layer}, {case.px} px"
