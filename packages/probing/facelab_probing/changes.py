"""What an occluder changes, map by map: only the places that it can reach are computed anew.

Axes: a change is (n, h, w, C), what was added to a window of a map under each of n occluders; the
windows begin at `rows` and `columns`, (n,), and lie inside the map. Everywhere else the change is
exactly 0. Nakandala et al. 2019 ("Krypton") introduced the idea; here windows are also held to what
a unit looks at, and nothing is approximated.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab_probing.kernels import Kernel
from facelab_probing.overhearing import Step

RECTIFYING = {"relu": torch.relu_}
"""Operations that give to the last bit the same for a value alone and among others, in place."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Where changes lie: h × w places of a map, beginning at `rows` and `columns`, (n,)."""

    rows: Tensor
    columns: Tensor
    size: tuple[int, int]

    def places(self, side: tuple[int, int]) -> Tensor:
        """Give the number of each place, (n, h, w), along the rows; outside the map it is h · w."""
        height, width = side
        device = self.rows.device
        down = self.rows[:, None] + torch.arange(self.size[0], device=device)
        along = self.columns[:, None] + torch.arange(self.size[1], device=device)
        outside = ((down < 0) | (down >= height))[:, :, None]
        outside = outside | ((along < 0) | (along >= width))[:, None, :]
        places = down[:, :, None] * width + along[:, None, :]
        return places.masked_fill_(outside, height * width)

    def before(self, kernel: Kernel) -> "Window":
        """Give the window of its input that a kernel needs, padding included."""
        size = tuple((self.size[a] - 1) * kernel.stride[a] + kernel.reach(a) + 1 for a in (0, 1))
        return Window(
            rows=self.rows * kernel.stride[0] - kernel.padding[0],
            columns=self.columns * kernel.stride[1] - kernel.padding[1],
            size=size,
        )

    def offset(self, other: "Window") -> tuple[int, int] | None:
        """Say how far after this window another begins; None if that differs by occluder."""
        down, along = other.rows - self.rows, other.columns - self.columns
        if (down == down[0]).all() and (along == along[0]).all():
            return int(down[0]), int(along[0])
        return None


@dataclass(frozen=True)
class Level:
    """A map without occluder, (1, C, H, W) or (1, U): what changes are added to."""

    maps: Tensor

    @property
    def side(self) -> tuple[int, int]:
        """Height and width; nothing where there are no places."""
        return tuple(self.maps.shape[2:]) if self.maps.ndim == 4 else ()

    @cached_property
    def _rows(self) -> Tensor:
        rows = self.maps[0].flatten(1).T
        return torch.cat([rows, rows.new_full((1, rows.shape[1]), -torch.inf)]).contiguous()

    def at(self, window: Window) -> Tensor:
        """Copy the values under a window, (n, h, w, C); outside the map they are −inf."""
        places = window.places(self.side)
        return self._rows.index_select(0, places.flatten()).view(*places.shape, -1)

    def whole(self, change: "Change") -> Tensor:
        """Give the maps under each occluder, (n, C, H, W)."""
        n, height, width, units = len(change.values), *self.side, self.maps.shape[1]
        maps = self.maps.permute(0, 2, 3, 1).expand(n, height, width, units).contiguous()
        places = _numbered(change.window.places(self.side), height * width)
        maps.view(-1, units).index_add_(0, places.flatten(), change.values.reshape(-1, units))
        return maps.permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Change:
    """What is added to a window of a map, (n, h, w, C)."""

    values: Tensor
    window: Window

    def within(self, window: Window) -> Tensor:
        """Show the change in another window, 0 where it does not reach."""
        offset = window.offset(self.window)
        if offset is not None:
            if offset == (0, 0) and window.size == self.window.size:
                return self.values
            after = [window.size[a] - self.window.size[a] - offset[a] for a in (0, 1)]
            return F.pad(self.values, (0, 0, offset[1], after[1], offset[0], after[0]))
        n, height, width, units = self.values.shape
        relative = Window(
            rows=window.rows - self.window.rows,
            columns=window.columns - self.window.columns,
            size=window.size,
        )
        inside = relative.places((height, width))
        places = _numbered(inside, height * width)
        places.masked_fill_(inside == height * width, n * height * width)
        rows = torch.cat([self.values.reshape(-1, units), self.values.new_zeros(1, units)])
        return rows.index_select(0, places.flatten()).view(*places.shape, units)

    def added(self, values: Tensor, window: Window) -> Tensor:
        """Add the change to the values in another window, (n, h, w, C), in place."""
        offset = window.offset(self.window)
        if offset is None:
            return values.add_(self.within(window))
        here, there = [slice(None)], [slice(None)]
        for after, inside, extent in zip(offset, self.window.size, window.size, strict=True):
            first, last = max(after, 0), min(after + inside, extent)
            here.append(slice(first, max(last, first)))
            there.append(slice(first - after, max(last, first) - after))
        values[tuple(here)].add_(self.values[tuple(there)])
        return values


def spread(step: Step, changes: list[Change], levels: list[Level], window: Window) -> Change:
    """Follow changes through one step, to a window of its output.

    Parameters
    ----------
    step : Step
        Of any kind but "whole".
    changes, levels : list of Change, list of Level
        Of its inputs; and of its output, the last of `levels`.
    window : Window
        Holds all that can change.
    """
    if step.kernel is not None:
        return Change(_through(step.kernel, changes[0], levels, window), window)
    moved = [change.within(window) for change in changes]
    if step.kind == "sum":
        return Change(moved[0] + moved[1], window)
    if step.kind == "units":
        return Change(_last(step.run(*map(_second, moved))), window)
    if step.name in RECTIFYING:
        after = RECTIFYING[step.name](levels[0].at(window).add_(moved[0]))
        return Change(after.sub_(levels[1].at(window)), window)
    before = [level.at(window) for level in levels[:-1]]
    after = [_second(old + new) for old, new in zip(before, moved, strict=True)]
    return Change(_last(step.run(*after) - step.run(*map(_second, before))), window)


def _through(kernel: Kernel, change: Change, levels: list[Level], window: Window) -> Tensor:
    if kernel.pooling == "maximum":
        seen = window.before(kernel)
        maps = _second(change.added(levels[0].at(seen), seen))
        largest = F.max_pool2d(maps, kernel.size, kernel.stride, 0, kernel.dilation)
        return _last(largest).sub_(levels[1].at(window))
    if kernel.pooling == "average":
        maps = _second(change.within(window.before(kernel)))
        sums = F.avg_pool2d(maps, kernel.size, kernel.stride, divisor_override=1)
        return _last(sums) * Level(_shares(kernel, levels)).at(window)
    return _convolved(kernel, change, window)


def _convolved(kernel: Kernel, change: Change, window: Window) -> Tensor:
    """Convolve a change; where it begins alike under all occluders, padding costs nothing."""
    seen = window.before(kernel)
    offset, padding = seen.offset(change.window), (0, 0)
    if offset is not None:
        after = [seen.size[a] - change.window.size[a] - offset[a] for a in (0, 1)]
        padding = tuple(max(min(offset[a], after[a]), 0) for a in (0, 1))
        seen = Window(
            rows=seen.rows + padding[0],
            columns=seen.columns + padding[1],
            size=tuple(seen.size[a] - 2 * padding[a] for a in (0, 1)),
        )
    maps = _second(change.within(seen))
    options = kernel.stride, padding, kernel.dilation, kernel.groups
    return _last(F.conv2d(maps, kernel.weight, None, *options))


def _shares(kernel: Kernel, levels: list[Level]) -> Tensor:
    """Give the weight of a place in the average over each window, (1, 1, H, W)."""
    ones = torch.ones_like(levels[0].maps[:, :1])
    counts = []
    for axis, (before, after) in enumerate(zip(levels[0].side, levels[1].side, strict=True)):
        first = torch.arange(after) * kernel.stride[axis] - kernel.padding[axis]
        counts.append((first + kernel.size[axis]).clamp(max=before) - first.clamp(min=0))
    return kernel.apply(ones) / (counts[0][:, None] * counts[1])


def _numbered(places: Tensor, count: int) -> Tensor:
    """Count the places of n maps one after another, `count` in each."""
    return places + (torch.arange(len(places), device=places.device) * count)[:, None, None]


def _second(values: Tensor) -> Tensor:
    """View (n, h, w, C) as (n, C, h, w)."""
    return values.permute(0, 3, 1, 2)


def _last(maps: Tensor) -> Tensor:
    """View (n, C, h, w) as (n, h, w, C), close together."""
    return maps.permute(0, 2, 3, 1).contiguous()
