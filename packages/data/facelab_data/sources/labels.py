"""What is known about a data set of photographs, as one table.

Everything that could spoil an import is found here, before the first image is read.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from facelab_data.sources.catalogue import SOURCES
from facelab_data.sources.photographs import Photographs
from facelab_data.sources.selection import arrange, keep, ordered, select


def read(photographs: Photographs) -> pd.DataFrame:
    """Read and check the labels, and choose images.

    Returns
    -------
    table : DataFrame
        A row per image, ordered by person and file: ``file``; ``person``, the label in the
        identity column (the file where nobody knows); the column `split`, if there is one; and
        the factors: continuous ones as float64, categories that are whole numbers and known of
        every image as int64, others as text.

    Raises
    ------
    FileNotFoundError, ValueError
        In one line, naming the folder, file, column or value and what would have done.
    """
    if photographs.source not in SOURCES:
        raise ValueError(f"unknown source {photographs.source!r}; known are {', '.join(SOURCES)}")
    if not Path(photographs.path).is_dir():
        raise FileNotFoundError(f"no folder {photographs.path}")
    table = _checked(SOURCES[photographs.source].read(photographs), photographs)
    table["person"] = table[photographs.identity or "file"]
    table = select(keep(table, photographs.keep), photographs.select)
    table = arrange(table, "person")
    for name, kind in photographs.factors.items():
        table[name] = _values(table[name], kind, name in photographs.missing)
    return table


def codes(persons: pd.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Give people numbers, in the order of their labels (by value when all are whole numbers).

    Returns
    -------
    identity : int array, (N,)
    labels : tuple of str
        The label of each number.
    """
    labels = ordered(persons)
    return pd.Index(labels).get_indexer(persons).astype(np.int64), tuple(labels)


def _checked(table: pd.DataFrame, photographs: Photographs) -> pd.DataFrame:
    """Take the wanted columns, and make sure that identity and split are known of every image."""
    what = f"{photographs.source} in {photographs.path}"
    for column in photographs.columns:
        if column not in table:
            present = ", ".join(name for name in table if name != "file")
            raise ValueError(f"{what} has no column {column!r}; it has {present}")
    for column in filter(None, (photographs.identity, photographs.split)):
        lacking = int(table[column].isna().sum())
        if lacking:
            raise ValueError(f"{what}: column {column!r} is empty in {lacking} rows")
    return table[["file", *photographs.columns]]


def _values(labels: pd.Series, kind: str, may_lack: bool) -> pd.Series:
    """Check a column, and turn it into numbers when it is continuous or holds whole numbers."""
    lacking = int(labels.isna().sum())
    if lacking == len(labels):
        raise ValueError(f"factor {labels.name!r} is empty in every image")
    if lacking and not may_lack:
        raise ValueError(
            f"factor {labels.name!r} is empty in {lacking} of {len(labels)} images; "
            f"name it under `missing` if that may be"
        )
    if labels.nunique() == 1:
        only = labels.dropna().iloc[0]
        raise ValueError(f"factor {labels.name!r} is {only!r} wherever it is known")
    if kind == "categorical":
        return labels if lacking or not _whole(labels) else labels.astype("int64")
    numbers = pd.to_numeric(labels, errors="coerce").astype("float64")
    wrong = labels[labels.notna() & ~np.isfinite(numbers)]
    if len(wrong):
        raise ValueError(f"factor {labels.name!r} is continuous but holds {wrong.iloc[0]!r}")
    return numbers


def _whole(labels: pd.Series) -> bool:
    """Tell whether all labels are whole numbers, written as one writes them."""
    return all(label.isdecimal() and str(int(label)) == label for label in labels.unique())
