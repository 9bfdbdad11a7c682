"""What lies in a data set's folder: its images, its files of labels.

Every source reads its folder through these, so that all of them complain alike.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pandas as pd

from facelab_data.splits import SPELLINGS

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


def images(folder: Path) -> list[str]:
    """List the images anywhere below a folder, as sorted paths within it.

    Hidden files and folders are passed over.

    Raises
    ------
    FileNotFoundError, ValueError
        When there is no such folder, no image in it, or a link in it that leads back up.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    found, above = [], {str(folder): [os.path.realpath(folder)]}
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            path = str(Path(place, name))
            if (real := os.path.realpath(path)) in above[place]:
                raise ValueError(f"{path} is a link back to {real}, in which it lies")
            above[path] = [*above[place], real]
        within = os.path.relpath(place, folder).replace(os.sep, "/")
        prefix = "" if within == "." else f"{within}/"
        found += [
            f"{prefix}{name}"
            for name in files
            if name.lower().endswith(ENDINGS) and not name.startswith(".")
        ]
    if not found:
        raise ValueError(f"{folder} holds no images; accepted are {', '.join(ENDINGS)}")
    for name in found:
        if name != name.encode("utf-8", "replace").decode():
            raise ValueError(f"{folder} holds {name!a}, whose name is no UTF-8; rename it")
    return sorted(found)


def classes(folder: Path) -> pd.DataFrame:
    """List the images of a folder of folders, which give each its label.

    Returns
    -------
    table : DataFrame
        As from `labelled`.
    """
    return labelled(folder, images(folder))


def labelled(folder: Path, files: Sequence[str]) -> pd.DataFrame:
    """Read the labels of images from the folders they lie in.

    Returns
    -------
    table : DataFrame
        ``file``; ``label``, the folder it lies in at the first level. When all folders there are
        called train, val, test or the like, the second level is the label and ``split`` the first.

    Raises
    ------
    ValueError
        Naming an image that lies in no folder.
    """
    parts = [file.split("/") for file in files]
    divided = all(steps[0].lower() in SPELLINGS for steps in parts)
    for file, steps in zip(files, parts, strict=True):
        if len(steps) < 2 + divided:
            raise ValueError(f"{folder / file} lies in no folder that would give it a label")
    split = {"split": [SPELLINGS[steps[0].lower()] for steps in parts]} if divided else {}
    return text(file=files, label=[steps[divided] for steps in parts], **split)


def text(**columns: Iterable[object]) -> pd.DataFrame:
    """Make a table of text; None is a missing value."""
    return pd.DataFrame(columns, dtype="str")


def find(folder: Path, names: Iterable[str], home: str) -> Path:
    """Find the first of these files or folders that is there.

    Parameters
    ----------
    names : iterable of str
        Paths within the folder, the usual one first.
    home : str
        Where the data set is to be had, for the message.

    Raises
    ------
    FileNotFoundError
        When none is there.
    """
    names = list(names)
    found = next((folder / name for name in names if (folder / name).exists()), None)
    if found is None:
        raise FileNotFoundError(f"{folder} has no {' or '.join(names)}; {home}")
    return found


def fields(
    path: Path, names: Collection[str], *, skip: int = 0, separator: str | None = None
) -> pd.DataFrame:
    """Read a file whose every line holds the same fields.

    Parameters
    ----------
    names : collection of str
        What the fields are called.
    skip : int
        Lines to pass over at the beginning.
    separator : str, optional
        By default any white space.

    Raises
    ------
    ValueError
        Naming the first line that has another number of fields.
    """
    rows = []
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            values = [value.strip() for value in line.split(separator)]
            if number <= skip or values in ([], [""]):
                continue
            if len(values) != len(names):
                raise ValueError(
                    f"{path}, line {number}: {len(values)} fields instead of {len(names)}"
                )
            rows.append(values)
    if not rows:
        raise ValueError(f"{path} lists nothing")
    return pd.DataFrame(rows, columns=list(names), dtype="str")


def check_listed(source: Path, listed: Iterable[str], there: Iterable[str]) -> None:
    """Make sure that a file of labels names just the images that are there, each once.

    Raises
    ------
    ValueError
        Saying how many are too many or too few, and naming the first.
    """
    listed, there = list(listed), set(there)
    if len(set(listed)) < len(listed):
        seen: set[str] = set()
        twice = next(name for name in listed if name in seen or seen.add(name))
        raise ValueError(f"{source} lists {twice} more than once")
    absent = sorted(set(listed) - there)
    if absent:
        raise ValueError(f"{source} lists {len(absent)} files that are not there: {absent[0]} …")
    unlisted = sorted(there - set(listed))
    if unlisted:
        raise ValueError(f"{source} says nothing of {len(unlisted)} images: {unlisted[0]} …")


def look_up(values: pd.Series, meanings: dict[str, str], source: Path | str) -> pd.Series:
    """Replace every value by what it means.

    Raises
    ------
    ValueError
        Naming a value of no known meaning.
    """
    unknown = values[~values.isin(meanings)]
    if len(unknown):
        known = ", ".join(list(meanings)[:10]) + (", …" if len(meanings) > 10 else "")
        raise ValueError(f"{source} knows nothing of {unknown.iloc[0]!r}; known are {known}")
    return values.map(meanings).astype("str")
