"""How far a change reaches: which places of each map an occluder can alter, along one axis.

A change in the image spreads forwards through the steps of a network; what a unit looks at spreads
backwards. Only where both meet is there anything to compute. Down and along are independent, so
for a grid of occluders each is worked out once for its rows and once for its columns.
"""

from dataclasses import dataclass

import numpy as np

from facelab_probing.overhearing import Step

FULL = 0.8
"""Above this part of a map it is computed whole: to cut out the rest costs more than it saves."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Places along an axis of a map, one stretch per occluder.

    Attributes
    ----------
    first, last : array, (n,)
        Places included; none if last < first.
    low, high : int
        What the stretches are held to: the map, or the part of it that matters.
    """

    first: np.ndarray
    last: np.ndarray
    low: int
    high: int

    def window(self, chosen: np.ndarray) -> tuple[np.ndarray, int]:
        """Give equally long stretches that hold the chosen ones: where they begin, how long."""
        first, last = self.first[chosen], self.last[chosen]
        size = max(int((last - first).max()) + 1, 1)
        return np.minimum(first, self.high + 1 - size).clip(self.low), size


def looked_at(
    steps: tuple[Step, ...], sides: dict[int, int], wanted: dict[int, tuple[int, int]], axis: int
) -> dict[int, tuple[int, int]]:
    """Find the first and last place of each map that the wanted places depend on.

    Parameters
    ----------
    steps : tuple of Step
    sides : dict of int
        Places of each map along the axis.
    wanted : dict of (int, int)
        First and last place wanted of some maps.
    axis : int
        0 down, 1 along.
    """
    needed = dict(wanted)
    for step in reversed(steps):
        if step.output not in needed:
            continue
        low, high = needed[step.output]
        for number in step.inputs:
            bounds = _before(step, (low, high), sides[number], axis)
            known = needed.get(number, bounds)
            needed[number] = min(bounds[0], known[0]), max(bounds[1], known[1])
    return needed


def _before(step: Step, wanted: tuple[int, int], side: int, axis: int) -> tuple[int, int]:
    if step.kind == "whole":
        return 0, side - 1
    low, high = wanted
    if step.kernel is not None:
        stride, padding = step.kernel.stride[axis], step.kernel.padding[axis]
        low = low * stride - padding
        high = high * stride - padding + step.kernel.reach(axis)
    return min(max(low, 0), side - 1), max(min(high, side - 1), 0)


def reached(
    steps: tuple[Step, ...],
    needed: dict[int, tuple[int, int]],
    occluded: tuple[np.ndarray, np.ndarray],
    axis: int,
) -> dict[int, Span]:
    """Find the places of each map that each occluder can change, among those needed.

    Parameters
    ----------
    steps : tuple of Step
    needed : dict of (int, int)
        As `looked_at` gives them.
    occluded : tuple of array, (n,)
        First and last pixel under each occluder.
    axis : int
        0 down, 1 along.
    """
    spans = {0: _held(occluded, needed[0])}
    for step in steps:
        if step.output not in needed:
            continue
        first = np.min([spans[number].first for number in step.inputs], axis=0)
        last = np.max([spans[number].last for number in step.inputs], axis=0)
        if step.kind == "whole":
            low, high = needed[step.output]
            first, last = np.full_like(first, low), np.full_like(last, high)
        elif step.kernel is not None:
            stride, padding = step.kernel.stride[axis], step.kernel.padding[axis]
            first = -((step.kernel.reach(axis) - padding - first) // stride)
            last = (last + padding) // stride
        spans[step.output] = _held((first, last), needed[step.output])
    return spans


def _held(stretches: tuple[np.ndarray, np.ndarray], bounds: tuple[int, int]) -> Span:
    low, high = bounds
    first, last = stretches
    return Span(first=first.clip(low), last=last.clip(max=high), low=low, high=high)


def grouped(spans: dict[int, Span], largest: int) -> list[np.ndarray]:
    """Put together the occluders whose changes are about equally large, `largest` at most."""
    extents = sum(
        (span.last - span.first + 1).clip(0) / (span.high - span.low + 1) for span in spans.values()
    )
    parts = -(-len(extents) // largest)
    return [np.sort(part) for part in np.array_split(np.argsort(extents, kind="stable"), parts)]
