"""A data set of photographs becomes a stimulus set."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from facelab_data import stimuli
from facelab_data.sources import labels, pixels
from facelab_data.sources.catalogue import SOURCES
from facelab_data.sources.division import divide
from facelab_data.sources.photographs import Photographs

BLOCK = 128  # images in memory


def read_folder(path: Path, photographs: Photographs, seed: int) -> None:
    """Write the photographs of a data set as a stimulus set.

    People are numbered in the order of their labels, which the set keeps as the names of
    ``identity``. A label counts as a property of people when it never changes within one,
    as far as it is known.
    Training, validation and testing get even shares of the first such category; the held-out
    images are spread evenly over the first one that does change.

    Parameters
    ----------
    path : Path
        The set to write.
    seed : int
        Decides who goes to which split.

    Raises
    ------
    FileNotFoundError, ValueError
        In one line, with nothing at `path`: see `labels.read` and `pixels.load`.
    """
    table = labels.read(photographs)
    identity, _ = labels.codes(table["person"])
    levels = {name: _level(identity, table[name]) for name in photographs.factors}
    split = divide(table, identity, levels, photographs, seed)
    table, split = table[split != ""].reset_index(drop=True), split[split != ""]
    identity, names = labels.codes(table["person"])
    factors = table[["file", *photographs.factors]].assign(identity=identity, split=split)
    known = bool(photographs.identity) and len(names) > 1
    stimuli.write(
        path,
        _blocks(table["file"].tolist(), photographs),
        factors,
        photographs.factors | ({"identity": "categorical"} if known else {}),
        levels | ({"identity": "identity"} if known else {}),
        names={"identity": names} if photographs.identity else {},
        missing=photographs.missing,
        provenance={"source": photographs.source, "seed": seed, "row": asdict(photographs)},
    )


def _blocks(files: list[str], photographs: Photographs) -> Iterator[np.ndarray]:
    """Read the photographs a block at a time, on all processors, in order."""
    load = partial(
        pixels.load,
        size_px=photographs.size_px,
        crop=photographs.crop,
        grey=photographs.grey,
        opened=SOURCES[photographs.source].picture,
    )
    with (
        tqdm(total=len(files), desc="reading photographs", unit="image", delay=2) as bar,
        ThreadPoolExecutor(os.cpu_count() or 1) as readers,
    ):
        for start in range(0, len(files), BLOCK):
            some = [Path(photographs.path, name) for name in files[start : start + BLOCK]]
            yield np.stack(list(readers.map(load, some)))
            bar.update(len(some))


def _level(identity: np.ndarray, values: pd.Series) -> str:
    """Tell whether a label belongs to the person or to the image."""
    several = len(np.unique(identity)) < len(identity)
    constant = values.groupby(identity).nunique().max() == 1
    return "identity" if several and constant else "image"
