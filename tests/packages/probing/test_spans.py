import numpy as np
import pytest
import torch
import torch.nn as nn
from facelab_probing.graphs import overhear
from facelab_probing.spans import Span, grouped, looked_at, reached

CHAIN = (
    *(nn.Conv2d(1, 1, 4, 3, 2), nn.Conv2d(1, 1, 3, 1, 2, dilation=2)),
    *(nn.MaxPool2d(3, 2, 1), nn.Conv2d(1, 1, 3)),
)
SIDE = 31


def chain():
    """Give the steps of a chain whose every weight is 1, and the side of each map."""
    net = nn.Sequential(*CHAIN)
    for parameter in net.parameters():
        nn.init.ones_(parameter)
    image = torch.rand(1, 1, SIDE, SIDE) + 1
    graph = overhear(net, [str(n) for n in range(len(CHAIN))], image)
    maps = graph.respond(image)
    return graph, image, {number: one.shape[2] for number, one in maps.items()}


def test_spans_hold_what_a_change_reaches_and_little_else():
    graph, image, sides = chain()
    everything = {number: (0, side - 1) for number, side in sides.items()}
    first = np.arange(0, 28)
    spans = reached(graph.steps, everything, (first, first + 3), 0)
    before = graph.respond(image)
    for place in first:
        hidden = image.clone()
        hidden[:, :, place : place + 4] += 100
        after = graph.respond(hidden)
        for number, maps in after.items():
            rows = np.flatnonzero((maps != before[number]).any(3).flatten())
            span = spans[number]
            assert len(rows)
            assert (rows.min(), rows.max()) >= (span.first[place], 0)
            assert rows.max() <= span.last[place]
            assert span.last[place] - span.first[place] <= rows.max() - rows.min() + 3


@pytest.mark.parametrize("place", [0, 2])
def test_a_unit_looks_at_what_moves_it(place):
    graph, image, sides = chain()
    needed = looked_at(graph.steps, sides, {4: (place, place)}, 1)
    image.requires_grad_()
    graph.respond(image)[2][:, :, :, slice(*_past(needed[2]))].sum().backward()
    columns = torch.nonzero(image.grad.abs().sum(2).flatten()).flatten().tolist()
    assert needed[0] == (columns[0], columns[-1])


def _past(bounds):
    return bounds[0], bounds[1] + 1


def test_a_window_holds_the_stretches_chosen_and_stays_inside():
    span = Span(first=np.array([0, 4, 8, 9]), last=np.array([2, 5, 9, 8]), low=0, high=9)
    starts, size = span.window(np.arange(4))
    assert size == 3
    assert starts.tolist() == [0, 4, 7, 7]
    assert span.window(np.array([3]))[1] == 1  # nothing changes, yet a window has a place


def test_groups_are_of_like_extent_and_of_every_occluder():
    span = Span(first=np.zeros(10, int), last=np.arange(10)[::-1] % 5, low=0, high=9)
    groups = grouped({0: span}, 4)
    assert sorted(np.concatenate(groups)) == list(range(10))
    assert all(len(group) <= 4 for group in groups)
    assert span.last[groups[0]].max() <= span.last[groups[-1]].min()
