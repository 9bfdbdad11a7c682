"""Data sets of no name: folders that are labels, or a table of labels beside the images.

``folder``
    ``<label>/…/image.png``, or the same below train, val, test. The one column that is asked for
    is the label; ``split`` is there when the first folders are called so.
``csv``
    any CSV file with a column of paths.
``avatar``
    two folders of images, which are the two classes: ``category``.
"""

from pathlib import Path

import pandas as pd

from facelab_data.sources import listing
from facelab_data.sources.photographs import Photographs


def read_folder(photographs: Photographs) -> pd.DataFrame:
    """List a folder whose sub-folders are the one label.

    Raises
    ------
    ValueError
        When not exactly one label is asked for, or an image lies in no sub-folder.
    """
    wanted = [name for name in photographs.columns if name != photographs.split]
    if len(wanted) != 1:
        raise ValueError(f"source folder knows one label, not {wanted}; csv knows several")
    table = listing.classes(Path(photographs.path)).rename(columns={"label": wanted[0]})
    return table.rename(columns={"split": photographs.split or "split"})


def read_two_classes(photographs: Photographs) -> pd.DataFrame:
    """List a folder of two classes: ``category``, and ``split`` if there is one.

    Raises
    ------
    ValueError
        When there are more classes, or fewer, naming them.
    """
    table = listing.classes(Path(photographs.path)).rename(columns={"label": "category"})
    names = sorted(table["category"].unique())
    if len(names) != 2:
        raise ValueError(
            f"{photographs.path} holds {len(names)} folders ({', '.join(names[:5])}); "
            f"source avatar is two classes, a folder each"
        )
    return table


def read_csv(photographs: Photographs) -> pd.DataFrame:
    """Read a CSV file of labels; only an empty cell is a missing value.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file, and the column or image.
    """
    source = Path(photographs.path, photographs.labels)
    if not source.is_file():
        raise FileNotFoundError(f"no file of labels {source}")
    try:
        table = pd.read_csv(
            source, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig"
        )
    except ValueError as error:
        raise ValueError(f"cannot read {source}: {' '.join(str(error).split())}") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes what is too much for a name
        raise ValueError(f"{source} has more fields in a row than columns in its first line")
    if table.empty:
        raise ValueError(f"{source} lists no images")
    column = photographs.file_column
    if column not in table:
        raise ValueError(f"{source} has no column {column!r}; it has {', '.join(table.columns)}")
    if table[column].isna().any():
        raise ValueError(
            f"{source}: column {column!r} is empty in {table[column].isna().sum()} rows"
        )
    files = table[column]
    there = [file for file in files if Path(photographs.path, file).is_file()]
    listing.check_listed(source, files, there)
    return table.rename(columns={column: "file"})
