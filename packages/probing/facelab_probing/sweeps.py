"""Moving occluders over an image, many at a time, and following what they change.

Occluders lie on a grid, rows × columns. Those that change about equally much of the maps are taken
together, so none pays for the size of another's windows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from facelab_probing.changes import Change, Level, Window, spread
from facelab_probing.graphs import Graph
from facelab_probing.spans import FULL, Span, grouped, looked_at, reached

GROUP = 12
"""Rows and columns of occluders taken together, at most."""
BUDGET = 2**23
"""Numbers that the largest map of all occluders taken together may hold."""


@dataclass(frozen=True, kw_only=True)
class Paint:
    """Squares in their places over an image.

    Attributes
    ----------
    squares : Tensor, (rows, columns, size, size, C)
    rows, columns : array, (rows,), (columns,)
        First pixel of each; the image's edges cut off what does not fit.
    """

    squares: Tensor
    rows: np.ndarray
    columns: np.ndarray

    def only(self, rows: np.ndarray, columns: np.ndarray) -> "Paint":
        """Keep the squares in some rows and columns."""
        if len(rows) == len(self.rows) and len(columns) == len(self.columns):
            return self
        squares = self.squares[torch.from_numpy(rows)[:, None], torch.from_numpy(columns)]
        return Paint(squares=squares, rows=self.rows[rows], columns=self.columns[columns])

    def on(self, image: Level, chosen: tuple[np.ndarray, np.ndarray], window: Window) -> Change:
        """Say what the chosen rows and columns of squares change in a window of the image."""
        size, device = self.squares.shape[2], self.squares.device
        rows, columns = (torch.from_numpy(index) for index in chosen)
        squares = self.squares[rows[:, None], columns].flatten(0, 1)
        where = _grid(self.rows[chosen[0]], self.columns[chosen[1]], (size, size), device)
        inside = Change(squares.new_ones(1, 1, 1, 1).expand(len(squares), size, size, 1), where)
        change = Change(squares, where).within(window) - image.at(window)
        return Change(change * inside.within(window), window)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Where changes spread: for each map, spans down and along, one per row or column of squares.

    `rows` and `columns` are those of the paint that can change anything at all, (n,).
    """

    down: dict[int, Span]
    along: dict[int, Span]
    rows: np.ndarray
    columns: np.ndarray

    def window(self, number: int, chosen: tuple[np.ndarray, np.ndarray], device: object) -> Window:
        """Find the window of a map in which the chosen rows and columns make changes."""
        (rows, height), (columns, width) = (
            span[number].window(index)
            for span, index in zip((self.down, self.along), chosen, strict=True)
        )
        return _grid(rows, columns, (height, width), device)


def _grid(rows: np.ndarray, columns: np.ndarray, size: tuple[int, int], device: object) -> Window:
    down = torch.from_numpy(np.repeat(rows, len(columns))).to(device)
    along = torch.from_numpy(np.tile(columns, len(rows))).to(device)
    return Window(rows=down, columns=along, size=size)


def foresee(
    graph: Graph, levels: dict[int, Level], wanted: dict[int, tuple], paint: Paint
) -> Reach:
    """Work out what the squares can change of the wanted places.

    `wanted` holds, for some maps, the first and last place wanted down and along:
    ``{number: ((first, last), (first, last))}``.
    """
    size, spans, kept = paint.squares.shape[2], [], []
    for axis, starts in enumerate((paint.rows, paint.columns)):
        sides = {n: (level.side or (1, 1))[axis] for n, level in levels.items()}
        places = {number: bounds[axis] for number, bounds in wanted.items()}
        needed = looked_at(graph.steps, sides, places, axis)
        low, high = needed[0]
        kept.append(np.flatnonzero((starts + size > low) & (starts <= high)))
        first = starts[kept[axis]]
        spans.append(reached(graph.steps, needed, (first, first + size - 1), axis))
    return Reach(down=spans[0], along=spans[1], rows=kept[0], columns=kept[1])


def sweep(
    graph: Graph, levels: dict[int, Level], reach: Reach, paint: Paint
) -> Iterator[tuple[tuple[np.ndarray, np.ndarray], dict[int, Change | Tensor]]]:
    """Follow the changes under all squares; yield those of the layers, some squares at a time.

    Yields
    ------
    chosen : tuple of array, (r,), (c,)
        Rows and columns of the paint: r · c squares, columns fastest.
    found : dict of Change or Tensor
        For each layer's map, what has changed, or, (r · c, C, H, W) or (r · c, U), all of it.
    """
    if not len(reach.rows) or not len(reach.columns):
        return
    for rows in grouped(reach.down, GROUP):
        for columns in grouped(reach.along, GROUP):
            for part in np.array_split(rows, _parts(levels, reach, (rows, columns))):
                chosen = part, columns
                where = reach.rows[part], reach.columns[columns]
                yield where, _follow(graph, levels, reach, (chosen, where, paint))


def _parts(levels: dict[int, Level], reach: Reach, chosen: tuple) -> int:
    """Say into how many parts some rows must be split, lest their maps outgrow memory."""
    largest = max(
        reach.down[n].window(chosen[0])[1] * reach.along[n].window(chosen[1])[1]
        * levels[n].maps.shape[1]
        for n in reach.down
    )  # fmt: skip
    return min(-(-largest * len(chosen[0]) * len(chosen[1]) // BUDGET), len(chosen[0]))


def _follow(
    graph: Graph, levels: dict[int, Level], reach: Reach, squares: tuple
) -> dict[int, Change | Tensor]:
    chosen, where, paint = squares
    device = paint.squares.device
    maps = {0: paint.on(levels[0], where, reach.window(0, chosen, device))}
    last = {number: step.output for step in graph.steps for number in step.inputs}
    for step in graph.steps:
        if step.output not in reach.down:
            continue
        inputs = [maps[number] for number in step.inputs]
        window = reach.window(step.output, chosen, device)
        if _is_whole(step.kind, window, levels[step.output]) or _any_whole(inputs):
            whole = [
                given if isinstance(given, Tensor) else levels[number].whole(given)
                for number, given in zip(step.inputs, inputs, strict=True)
            ]
            maps[step.output] = step.run(*whole)
        else:
            around = [levels[number] for number in (*step.inputs, step.output)]
            maps[step.output] = spread(step, inputs, around, window)
        for number in step.inputs:
            if last[number] == step.output and number not in graph.layers.values():
                maps.pop(number, None)
    return {number: maps[number] for number in set(graph.layers.values())}


def _is_whole(kind: str, window: Window, level: Level) -> bool:
    places = level.side[0] * level.side[1] if level.side else 1
    return kind == "whole" or window.size[0] * window.size[1] >= FULL * places > FULL


def _any_whole(inputs: list[Change | Tensor]) -> bool:
    return any(isinstance(given, Tensor) for given in inputs)
