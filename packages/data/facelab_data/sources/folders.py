"""A folder of photographs becomes a stimulus set."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from facelab_data import splits, stimuli
from facelab_data.sources import labels, pixels
from facelab_data.sources.labels import Photographs

BLOCK = 32


def read_folder(path: Path, photographs: Photographs, seed: int) -> None:
    """Write the photographs of a folder as a stimulus set.

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
    identity, names = labels.codes(table["person"])
    levels = {name: _level(identity, table[name]) for name in photographs.factors}
    split = _split(table, identity, levels, photographs, seed)
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
        provenance={"source": "photographs", "seed": seed} | asdict(photographs),
    )


def _blocks(files: list[str], photographs: Photographs) -> Iterator[np.ndarray]:
    """Read the photographs, a few at a time."""
    look = {"size_px": photographs.size_px, "crop": photographs.crop, "grey": photographs.grey}
    with tqdm(total=len(files), desc="reading photographs", unit="image") as bar:
        for start in range(0, len(files), BLOCK):
            some = files[start : start + BLOCK]
            yield np.stack([pixels.load(Path(photographs.path, name), **look) for name in some])
            bar.update(len(some))


def _level(identity: np.ndarray, values: pd.Series) -> str:
    """Tell whether a label belongs to the person or to the image."""
    several = len(np.unique(identity)) < len(identity)
    constant = values.groupby(identity).nunique().max() == 1
    return "identity" if several and constant else "image"


def _split(
    table: pd.DataFrame,
    identity: np.ndarray,
    levels: dict[str, str],
    photographs: Photographs,
    seed: int,
) -> np.ndarray:
    """Take over the data set's own division, or make one."""
    first = {
        level: next(
            (
                pd.factorize(table[name])[0]
                for name, kind in photographs.factors.items()
                if (kind, levels[name]) == ("categorical", level)
            ),
            None,
        )
        for level in ("identity", "image")
    }
    if not photographs.split:
        return splits.assign(
            identity, photographs.splits, seed, strata=first["identity"], balance=first["image"]
        )
    split = splits.official(table[photographs.split].to_numpy(dtype=object))
    if "holdout" not in split:
        rng = np.random.default_rng(seed)
        held = splits.hold_out(
            identity,
            split == "training",
            photographs.splits.holdout,
            rng,
            balance=first["image"],
        )
        split = np.where(held, "holdout", split)
    return split
