"""Choosing images from a table of labels, always the same ones whatever the order of its rows."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from facelab_data.sources.photographs import Selection


def keep(table: pd.DataFrame, wanted: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Keep the rows that have one of the wanted values in every column named.

    Raises
    ------
    ValueError
        Naming a value that no image has, or when no image is left.
    """
    for column, values in wanted.items():
        present = sorted(table[column].dropna().unique())
        for value in values:
            if value not in present:
                some = ", ".join(present[:10]) + (", …" if len(present) > 10 else "")
                raise ValueError(f"keep: no image left has {column} {value!r}; there are {some}")
        table = table[table[column].isin(values)]
        if table.empty:
            raise ValueError(f"keep: no value of {column} is wanted, which leaves no image")
    return table


def select(table: pd.DataFrame, steps: Iterable[Selection]) -> pd.DataFrame:
    """Take the steps of a selection one after the other.

    Parameters
    ----------
    table : DataFrame
        With ``file`` and the columns that the steps name. Images without a label in such a
        column are left out.

    Raises
    ------
    ValueError
        When a step leaves nothing, naming the largest group.
    """
    for step in steps:
        table = _step(table[table[step.per].notna()], step)
    return table


def ordered(labels: pd.Series) -> list[str]:
    """List the labels that occur, in order (by value when all are whole numbers)."""
    found = sorted(labels.unique())
    return sorted(found, key=int) if all(label.isdecimal() for label in found) else found


def arrange(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Order a table by the labels of a column, then by file."""
    code = pd.Index(ordered(table[column])).get_indexer(table[column])
    order = np.lexsort([table["file"].to_numpy(dtype=object), code])
    return table.iloc[order].reset_index(drop=True)


def _step(table: pd.DataFrame, step: Selection) -> pd.DataFrame:
    counts = table[step.per].value_counts()
    fits = (counts >= step.min_images) & (counts <= (step.max_images or np.inf))
    if not fits.any():
        most = f"; most has {counts.index[0]!r}: {counts.iloc[0]}" if len(counts) else ""
        raise ValueError(
            f"select: no {step.per} has {step.min_images} to {step.max_images or 'any number of'} "
            f"images{most}"
        )
    table = arrange(table[table[step.per].map(fits).astype(bool)], step.per)
    first = ordered(table[step.per])[: step.groups or None]
    table = table[table[step.per].isin(first)]
    if step.images:
        table = table[table.groupby(step.per).cumcount() < step.images]
    return table.reset_index(drop=True)
