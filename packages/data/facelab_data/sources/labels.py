"""What is known about a folder of photographs, as one table.

Labels come from a CSV file in the folder, or from the names of the folders that the images lie
in. Everything that could spoil an import is found here, before the first image is read.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from facelab_data.sources.pixels import Crop
from facelab_data.splits import Splits

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
KINDS = ("categorical", "continuous")
RESERVED = ("file", "identity", "split")


@dataclass(frozen=True, kw_only=True)
class Photographs:
    """A folder of photographs, and what to take from it.

    Parameters
    ----------
    path : str
        The folder.
    labels : str
        A CSV file in it, or empty: the first folder below `path` names the one label.
    file_column : str
        The column that holds each image's path within the folder.
    identity : str
        The column that says whose image it is; empty when nobody knows, every image then counts
        as another person.
    split : str
        The column with the data set's own division; empty to divide by `splits`.
    factors : dict of str
        Column to ``categorical`` or ``continuous``.
    missing : tuple of str
        The factors that may be empty in some images, which decoders then leave out.
    size_px : int
        Width and height of the images in the set.
    crop : (float, float, float, float)
        Left, top, right, bottom, in fractions of each photograph.
    grey : bool
        Whether to discard colour.
    min_images_per_identity : int
        People with fewer images are left out.
    max_identities : int
        Only so many people, the first in order of their label, are kept; 0 for all.
    splits : Splits
        How people and images are divided.
    """

    path: str
    labels: str
    file_column: str
    identity: str
    split: str
    factors: dict[str, str]
    missing: tuple[str, ...]
    size_px: int
    crop: Crop
    grey: bool
    min_images_per_identity: int
    max_identities: int
    splits: Splits

    def __post_init__(self) -> None:
        _check_request(self)

    @property
    def columns(self) -> list[str]:
        """The label columns to take."""
        return [name for name in (self.identity, self.split, *self.factors) if name]


def read(photographs: Photographs) -> pd.DataFrame:
    """Read and check the labels, and choose people.

    Returns
    -------
    table : DataFrame
        A row per image, ordered by person and file: ``file``; ``person``, the label in the
        identity column (the file where nobody knows); the column `split`, if there is one; and
        the factors, continuous ones as float64.

    Raises
    ------
    FileNotFoundError, ValueError
        In one line, naming the folder, file, column or value and what would have done.
    """
    folder = Path(photographs.path)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    table = _from_csv(folder, photographs) if photographs.labels else _listed(folder, photographs)
    table["person"] = table[photographs.identity or "file"]
    table = _chosen(table, photographs)
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
    labels = sorted(persons.unique())
    if all(label.isdecimal() for label in labels):
        labels.sort(key=int)
    return pd.Index(labels).get_indexer(persons).astype(np.int64), tuple(labels)


def _from_csv(folder: Path, photographs: Photographs) -> pd.DataFrame:
    source = folder / photographs.labels
    if not source.is_file():
        raise FileNotFoundError(f"no file of labels {source}")
    try:
        table = pd.read_csv(
            source, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig"
        )
    except ValueError as error:
        raise ValueError(f"cannot read {source}: {' '.join(str(error).split())}") from None
    if table.empty:
        raise ValueError(f"{source} lists no images")
    for column in (photographs.file_column, *photographs.columns):
        if column not in table:
            present = ", ".join(table.columns)
            raise ValueError(f"{source} has no column {column!r}; it has {present}")
    for column in filter(None, (photographs.file_column, photographs.identity, photographs.split)):
        lacking = int(table[column].isna().sum())
        if lacking:
            raise ValueError(f"{source}: column {column!r} is empty in {lacking} rows")
    _check_files(source, table[photographs.file_column])
    table = table.rename(columns={photographs.file_column: "file"})
    return table[["file", *photographs.columns]]


def _check_files(source: Path, files: pd.Series) -> None:
    twice = files[files.duplicated()]
    if len(twice):
        raise ValueError(f"{source} lists {twice.iloc[0]} more than once")
    absent = [name for name in files if not (source.parent / name).is_file()]
    if absent:
        raise ValueError(f"{source} lists {len(absent)} files that are not there: {absent[0]} …")


def _listed(folder: Path, photographs: Photographs) -> pd.DataFrame:
    files = [
        file.relative_to(folder)
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in ENDINGS and not file.name.startswith(".")
    ]
    if not files:
        raise ValueError(f"{folder} holds no images; accepted are {', '.join(ENDINGS)}")
    loose = [file for file in files if len(file.parts) == 1]
    if loose:
        raise ValueError(f"{folder / loose[0]} lies in no folder that would give it a label")
    label = photographs.columns[0]
    return pd.DataFrame(
        {"file": [file.as_posix() for file in files], label: [file.parts[0] for file in files]},
        dtype="str",
    )


def _chosen(table: pd.DataFrame, photographs: Photographs) -> pd.DataFrame:
    """Leave out people with too few images, and those beyond the number wanted."""
    counts = table["person"].value_counts()
    enough = table["person"].map(counts) >= photographs.min_images_per_identity
    if not enough.any():
        raise ValueError(
            f"nobody in {photographs.path} has {photographs.min_images_per_identity} images; "
            f"most has {counts.index[0]!r}: {counts.iloc[0]}"
        )
    table = table[enough].reset_index(drop=True)
    identity, _ = codes(table["person"])
    keep = identity < (photographs.max_identities or np.inf)
    order = np.lexsort([table["file"].to_numpy(dtype=object), identity])
    return table.iloc[order[keep[order]]].reset_index(drop=True)


def _values(labels: pd.Series, kind: str, may_lack: bool) -> pd.Series:
    """Check a column, and turn it into numbers when it is continuous."""
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
        return labels
    numbers = pd.to_numeric(labels, errors="coerce").astype("float64")
    wrong = labels[labels.notna() & ~np.isfinite(numbers)]
    if len(wrong):
        raise ValueError(f"factor {labels.name!r} is continuous but holds {wrong.iloc[0]!r}")
    return numbers


def _check_request(photographs: Photographs) -> None:
    left, top, right, bottom = photographs.crop
    kinds = [kind for kind in photographs.factors.values() if kind not in KINDS]
    reserved = [name for name in photographs.factors if name in RESERVED]
    rules = {
        f"size_px is {photographs.size_px}; at least 1 is needed": photographs.size_px >= 1,
        f"crop is {photographs.crop}; needed is 0 <= left < right <= 1, and so for top, bottom": (
            0 <= left < right <= 1 and 0 <= top < bottom <= 1
        ),
        f"a factor's kind is {kinds[:1]}; known are {', '.join(KINDS)}": not kinds,
        f"no factor can be called {reserved[:1]}; name identity and split apart": not reserved,
        f"missing is {photographs.missing}, not all of which are factors": (
            set(photographs.missing) <= photographs.factors.keys()
        ),
        "min_images_per_identity and max_identities need a column of identities": (
            bool(photographs.identity)
            or photographs.min_images_per_identity <= 0 >= photographs.max_identities
        ),
        "min_images_per_identity and max_identities are at least 0": (
            photographs.min_images_per_identity >= 0 <= photographs.max_identities
        ),
        f"without a file of labels there is one label, not {photographs.columns}": (
            bool(photographs.labels) or len(photographs.columns) == 1
        ),
    }
    for message, kept in rules.items():
        if not kept:
            raise ValueError(f"photographs {photographs.path}: {message}")
