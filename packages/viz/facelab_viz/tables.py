"""What a figure asks of a table: its columns, its order, and one row for each point.

Tables are tidy: one row per measurement. Rows of single seeds may stand beside
a row whose seed is ``all``; the latter is then the point and the former its parts.
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from pandas.api.types import is_float_dtype, is_numeric_dtype

ALL = "all"


def require(table: pd.DataFrame, names: Sequence[str | None], numbers: Sequence[str] = ()) -> None:
    """Refuse a table that is empty, lacks a column, or holds text where numbers belong.

    Names that are None are columns not asked for.

    Raises
    ------
    ValueError
        With the column at fault and those present.
    """
    wanted = [name for name in (*names, *numbers) if name is not None]
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        present = ", ".join(map(str, table.columns))
        raise ValueError(f"the table has no column {missing[0]!r}; it has: {present}")
    if table.empty:
        raise ValueError(f"the table is empty: no row to draw in columns {', '.join(wanted)}")
    for name in (name for name in names if name is not None):
        if table[name].isna().any():
            raise ValueError(f"column {name!r} has {int(table[name].isna().sum())} empty cells")
    for name in (name for name in numbers if name is not None):
        if not is_numeric_dtype(table[name]):
            example = table[name].iloc[0]
            raise ValueError(f"column {name!r} must hold numbers; it holds {example!r}")


def order_of(table: pd.DataFrame, column: str, order: Sequence[str] | None = None) -> list[str]:
    """List a column's values as they are to be drawn: as given, else as the table has them.

    A categorical column has its own order. A value that is given but not in
    the table keeps its place, so panels that share an order line up.

    Raises
    ------
    ValueError
        If the table has a value that `order` forgets.
    """
    found = table[column].unique()
    if isinstance(table[column].dtype, pd.CategoricalDtype):
        found = [value for value in table[column].cat.categories if value in set(found)]
    names = [str(value) for value in found]
    if order is None:
        return names
    for name in names:
        if name not in order:
            raise ValueError(f"{column} {name!r} is not in the order given: {', '.join(order)}")
    return list(dict.fromkeys(order))


def check_unique(table: pd.DataFrame, keys: Sequence[str]) -> None:
    """Refuse two rows for one point, and say in which columns they differ.

    Raises
    ------
    ValueError
        Naming the point and the columns to select from before drawing.
    """
    twice = table.duplicated(list(keys), keep=False)
    if not twice.any():
        return
    first = table[twice].iloc[0]
    same = (table[list(keys)] == first[list(keys)]).all(axis=1)
    rows = table[same]
    point = ", ".join(f"{key} {_said(first[key])}" for key in keys)
    # Columns of floats are measurements; any other may hold a choice that was not made.
    choices = [c for c in table.columns if c not in keys and not is_float_dtype(table[c])]
    differ = [column for column in choices if rows[column].nunique() > 1]
    why = f"they differ in {', '.join(differ)}" if differ else "nothing but numbers differs"
    raise ValueError(f"{len(rows)} rows for {point}: {why}; select one before drawing")


def _said(name: object) -> str:
    return repr(name) if isinstance(name, str) else str(name)


def pooled(
    table: pd.DataFrame, keys: Sequence[str], value: str, band: tuple[str | None, str | None]
) -> pd.DataFrame:
    """Leave one row per point: the row of all seeds, or the mean of the seeds.

    Where there is no row with seed ``all`` but several seeds, the value is
    their mean and the band runs from the lowest seed to the highest.

    Parameters
    ----------
    table : DataFrame
        With `keys`, `value`, the columns of `band` and perhaps ``seed``.
    keys : sequence of str
        The columns that make a point.
    value : str
    band : tuple of str or None
        Columns of the lower and the upper bound.

    Returns
    -------
    table : DataFrame
        The points, each under the index of its first row.

    Raises
    ------
    ValueError
        If a point has two rows of the same seed.
    """
    keys = list(keys)
    if "seed" not in table.columns:
        check_unique(table, keys)
        return table
    check_unique(table, [*keys, "seed"])
    points = table.groupby(keys, sort=False, observed=True)
    return pd.DataFrame([_one(rows, value, band) for _, rows in points]).infer_objects()


def _one(rows: pd.DataFrame, value: str, band: tuple[str | None, str | None]) -> pd.Series:
    whole = rows[rows["seed"].astype(str) == ALL]
    if len(whole) or len(rows) == 1:
        return (whole if len(whole) else rows).iloc[0]
    point = rows.iloc[0].to_dict() | {value: rows[value].mean(), "seed": ALL}
    for column, bound in zip(band, (rows[value].min(), rows[value].max()), strict=True):
        if column is not None:
            point[column] = bound
    return pd.Series(point, name=rows.index[0])


def where(table: pd.DataFrame, choice: Mapping[str, str]) -> pd.DataFrame:
    """Keep the rows in which every column of `choice` has the value named, in order of index."""
    keep = pd.Series(True, index=table.index)
    for column, name in choice.items():
        keep &= table[column].astype(str) == name
    return table[keep].sort_index()


def single_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of single seeds; none if the table does not tell seeds apart."""
    if "seed" not in table.columns:
        return table.iloc[:0]
    return table[table["seed"].astype(str) != ALL]
