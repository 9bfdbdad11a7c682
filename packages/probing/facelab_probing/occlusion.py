"""Discrepancy maps: how much a unit's response falls when each part of an image is hidden.

After Zhou et al. 2015. All units of several layers are asked in one sweep over an image, or single
units where they respond most. Only what an occluder can change is computed again, exactly; a
network whose operations cannot be followed is shown every occluded image instead, and the maps say
so. Images are RGB (C, H, W) in [0, 1], of the size that the network works at.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor

from facelab_probing.changes import Change, Level
from facelab_probing.discrepancies import Gathering, Maps, check_finite
from facelab_probing.fitness import check
from facelab_probing.graphs import Graph, ReplayError, overhear
from facelab_probing.hooks import find, tap
from facelab_probing.occluders import Occluder
from facelab_probing.refinement import Coarse, refine
from facelab_probing.responses import evaluating
from facelab_probing.sweeps import Paint, foresee, sweep

DENSE_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network prepared to be asked many times; made by `prepare`.

    Attributes
    ----------
    net : Module
    layers : tuple of str
    graph : Graph, optional
        Its steps as far as the layers; None if it must be asked as a whole.
    computed : str
        "incremental", or "dense: " and why.
    """

    net: nn.Module
    layers: tuple[str, ...]
    graph: Graph | None
    computed: str


def prepare(
    net: nn.Module, layers: Iterable[str], size_px: tuple[int, int], *, channels: int = 3
) -> Subject:
    """Find out how a network computes the layers, from images of `size_px` (height, width).

    Weights must not change afterwards. The network is left as it was.

    Raises
    ------
    ValueError
        If the network has no such layer, or it is called more than once or never, or does not
        depend on the image, or cannot be mapped, see `fitness.check`.
    """
    layers = tuple(layers)
    for layer in layers:
        find(net, layer)
    weights = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    image = weights.new_full((1, channels, *size_px), 0.5)
    check(net, layers, image)
    try:
        graph = overhear(net, layers, image)
    except ReplayError as error:
        return Subject(net=net, layers=layers, graph=None, computed=f"dense: {error}")
    return Subject(net=net, layers=layers, graph=graph, computed="incremental")


@torch.inference_mode()
def map_all(
    subject: Subject,
    image: Tensor,
    occluder: Occluder,
    *,
    rng: np.random.Generator,
    other: Tensor | None = None,
) -> dict[str, Maps]:
    """Map every unit of every layer of the subject in one sweep over an image (C, H, W).

    `other` is the image (C, H, W) that patches are cut from. Memory is that of the maps, and of
    one image's activations under about a hundred occluders.

    Raises
    ------
    ValueError
        If a response is not a finite number.
    """
    paint = _paint(occluder, image, rng, other)
    levels = _levels(subject, image)
    numbers = _numbers(subject)
    found = {
        layer: Gathering.empty(levels[number].maps, paint, occluder)
        for layer, number in numbers.items()
    }
    for where, changed in _sweep(subject, levels, paint):
        for layer, number in numbers.items():
            found[layer].fill(where, changed[number], levels[number])
    for layer, one in found.items():
        check_finite(layer, one.drops)
    return {layer: one.maps(paint, subject.computed) for layer, one in found.items()}


@torch.inference_mode()
def map_units(
    subject: Subject,
    image: Tensor,
    occluder: Occluder,
    units: dict[str, Sequence[int]],
    *,
    rng: np.random.Generator,
    other: Tensor | None = None,
    coarse: Coarse | None = None,
) -> dict[str, Maps]:
    """Map single units of some layers, each at the place of its largest response.

    Only occluders that the unit can see there are tried, and followed only to what it looks at:
    all other drops are exactly 0. The faster way for a few units that share an image; the
    reduction is always "at_maximum". With `coarse`, only some occluders are tried, all where the
    drops are large; the maps say in `errors` how far off the others were where that was checked.

    Raises
    ------
    ValueError
        If the reduction is another, a layer was not prepared, or has no such unit, or a response
        is not a finite number.
    """
    if occluder.reduction != "at_maximum":
        raise ValueError(
            f"single units are mapped 'at_maximum', not {occluder.reduction!r}; use map_all"
        )
    for layer in units:
        if layer not in subject.layers:
            raise ValueError(
                f"layer {layer!r} is not prepared; choose from {', '.join(subject.layers)}"
            )
    if subject.graph is None:
        whole = map_all(subject, image, occluder, rng=rng, other=other)
        return {layer: whole[layer].only(some) for layer, some in units.items()}
    paint = _paint(occluder, image, rng, other)
    found = {}
    for layer, some in units.items():
        graph = subject.graph.upto(layer)
        levels = _levels(replace(subject, graph=graph), image)
        number = graph.layers[layer]
        none = Gathering.empty(levels[number].maps, paint, occluder)
        _check_units(layer, some, len(none.drops))
        one = none.maps(paint, subject.computed).only(some)
        shape = one.drops.shape[1:]
        for row, unit in enumerate(one.units):
            exact = partial(_map_unit, graph, levels, paint, (layer, int(unit), one.places[row]))
            if coarse is None:
                one.drops[row] = exact(*map(np.arange, shape))
            else:
                one.drops[row], one.errors[row] = refine(exact, shape, coarse)
        found[layer] = one
    return found


def _check_units(layer: str, units: Sequence[int], count: int) -> None:
    for unit in units:
        if not 0 <= unit < count:
            raise ValueError(f"layer {layer!r} has no unit {unit}; they are 0 to {count - 1}")


def _map_unit(
    graph: Graph,
    levels: dict[int, Level],
    paint: Paint,
    unit: tuple,
    *tried: np.ndarray,
) -> np.ndarray:
    """Map one unit under the occluders in some rows and columns."""
    layer, index, place = unit
    paint = paint.only(*tried)
    drops = np.zeros(
        (len(paint.rows), len(paint.columns)), dtype=levels[0].maps.cpu().numpy().dtype
    )
    narrow, alone = graph.only(layer, index)
    levels = levels | {n: Level(levels[n].maps[:, index : index + 1]) for n in alone}
    number = graph.layers[layer]
    index = 0 if alone else index
    wanted = {number: tuple((int(at), int(at)) for at in place)}
    reach = foresee(narrow, levels, wanted, paint)
    for (rows, columns), changed in sweep(narrow, levels, reach, paint):
        change, level = changed[number], levels[number].maps
        if isinstance(change, Change):
            fall = -change.values[:, 0, 0, index]
        elif level.ndim == 4:
            fall = level[0, index, place[0], place[1]] - change[:, index, place[0], place[1]]
        else:
            fall = level[0, index] - change[:, index]
        check_finite(layer, fall)
        drops[rows[:, None], columns] = fall.view(len(rows), len(columns)).cpu().numpy()
    return drops


def _paint(
    occluder: Occluder, image: Tensor, rng: np.random.Generator, other: Tensor | None
) -> Paint:
    rows, columns = (occluder.places(side) for side in image.shape[1:])
    squares = occluder.fill(image, (len(rows), len(columns)), rng, other)
    return Paint(squares=squares, rows=rows, columns=columns)


def _numbers(subject: Subject) -> dict[str, int]:
    """Give the number of each layer's map; a network asked as a whole has them from 1."""
    if subject.graph is not None:
        return subject.graph.layers
    return {layer: number for number, layer in enumerate(subject.layers, 1)}


def _levels(subject: Subject, image: Tensor) -> dict[int, Level]:
    """Compute every map without occluder."""
    images = image[None].contiguous(memory_format=torch.channels_last)
    if subject.graph is None:
        maps = {0: images} | _ask(subject, images)
    else:
        maps = subject.graph.respond(images)
    return {number: Level(one) for number, one in maps.items()}


def _ask(subject: Subject, images: Tensor) -> dict[int, Tensor]:
    with evaluating(subject.net), tap(subject.net, subject.layers) as heard:
        subject.net(images)
    return {number: heard[layer] for layer, number in _numbers(subject).items()}


def _sweep(subject: Subject, levels: dict[int, Level], paint: Paint) -> Iterator[tuple]:
    if subject.graph is not None:
        sides = {number: levels[number].side or (1, 1) for number in subject.graph.layers.values()}
        wanted = {n: tuple((0, side - 1) for side in sides[n]) for n in sides}
        reach = foresee(subject.graph, levels, wanted, paint)
        yield from sweep(subject.graph, levels, reach, paint)
        return
    bare = Graph(steps=(), layers={"": 0})
    everything = {0: tuple((0, side - 1) for side in levels[0].side)}
    for where, changed in sweep(bare, levels | {}, foresee(bare, levels, everything, paint), paint):
        images = levels[0].whole(changed[0])
        parts = [_ask(subject, batch) for batch in images.split(DENSE_BATCH)]
        yield where, {n: torch.cat([part[n] for part in parts]) for n in parts[0]}
