"""Shards: stretches of a stimulus set, drawn aside and checked when found again."""

import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from facelab_data.aside import aside


@dataclass(frozen=True, kw_only=True)
class Pen:
    """All that a process needs to draw; it is sent to each of them.

    Parameters
    ----------
    open_model : callable
        ``open_model(path)`` -> model; a function of a module, as `draw` is.
    draw : callable
        ``draw(model, factors, *, size_px, eyes, seed)`` -> images (n, eyes, H, W, 3) uint8. An
        image may depend on its own row only.
    model : Path
        The file or folder of the face model.
    """

    open_model: Callable[[Path], object]
    draw: Callable[..., np.ndarray]
    model: Path
    size_px: int
    eyes: int
    seed: int

    def shape(self, images: int) -> tuple[int, ...]:
        """Shape of so many drawn images."""
        return (images, self.eyes, self.size_px, self.size_px, 3)

    def __call__(self, factors: pd.DataFrame) -> np.ndarray:
        """Draw the rows of a table, (n, eyes, H, W, 3) uint8."""
        model = opened(self.open_model, self.model)
        return self.draw(model, factors, size_px=self.size_px, eyes=self.eyes, seed=self.seed)


def draw(pen: Pen, path: Path, factors: pd.DataFrame) -> int:
    """Draw a shard to a file that appears once it is whole; return the number of images.

    Raises
    ------
    RuntimeError
        Naming the first image that cannot be drawn, and why, in one line.
    """
    opened(pen.open_model, pen.model)
    try:
        images = pen(factors)
    except Exception as error:
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise RuntimeError(f"cannot draw image {_culprit(pen, factors)}: {why}") from error
    if images.shape != pen.shape(len(factors)) or images.dtype != np.uint8:
        raise RuntimeError(
            f"images {_span(factors)} were drawn as {images.dtype} {images.shape}, "
            f"not as uint8 {pen.shape(len(factors))}"
        )
    with aside(path) as part, part.open("wb") as file:
        np.savez(file, images=images)
    return len(images)


def load(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """Read a shard; None when it is absent, damaged or of another shape.

    Every byte is checked against the checksum in the file.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            images = archive["images"]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return None
    return images if images.shape == shape and images.dtype == np.uint8 else None


@lru_cache(maxsize=1)
def opened(open_model: Callable[[Path], object], model: Path) -> object:
    """Open the face model, once in each process."""
    return open_model(model)


def _culprit(pen: Pen, factors: pd.DataFrame) -> str:
    """Find the first row that cannot be drawn by itself."""
    for row in range(len(factors)):
        try:
            pen(factors.iloc[row : row + 1])
        except Exception:
            return str(factors.index[row])
    return _span(factors)


def _span(factors: pd.DataFrame) -> str:
    return f"{factors.index[0]} … {factors.index[-1]}"
