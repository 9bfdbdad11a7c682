"""LFW (Huang, Ramesh, Berg & Learned-Miller 2007): press photographs of 5,749 people.

Layout: ``lfw/Name/Name_0001.jpg`` (or lfw_funneled, lfw-deepfunneled) and, beside it, for the
division, peopleDevTrain.txt and peopleDevTest.txt, else pairsDevTrain.txt and pairsDevTest.txt.

Columns: ``identity``, the name; ``split``: the people of the DevTrain file are training, those of
DevTest testing. Images of people in neither file (as many are not in pairs) are then left out.
"""

from pathlib import Path

import pandas as pd

from facelab_data.sources import listing
from facelab_data.sources.photographs import Photographs

HOME = "LFW is at http://vis-www.cs.umass.edu/lfw"
IMAGES = ("lfw", "lfw_funneled", "lfw-deepfunneled", "lfw-deepfunneled/lfw-deepfunneled")
PARTS = {"training": "DevTrain", "testing": "DevTest"}


def read(photographs: Photographs) -> pd.DataFrame:
    """List the images; with the division if it is asked for.

    Raises
    ------
    FileNotFoundError, ValueError
        When folders or lists are not there, a file's name is not its folder's, or a list names
        images that are not there.
    """
    folder = Path(photographs.path)
    root = listing.find(folder, IMAGES, HOME)
    names = listing.images(root)
    for name in names:
        person, _, file = name.rpartition("/")
        if Path(file).stem[:-5] != person.rpartition("/")[2]:
            raise ValueError(f"{root / name} is not called like Name/Name_0001.jpg; {HOME}")
    table = listing.text(
        file=[(root / name).relative_to(folder).as_posix() for name in names],
        identity=[name.split("/")[-2] for name in names],
    )
    if "split" not in photographs.columns:
        return table
    split = _division(folder, {Path(name).stem for name in names})
    table = table[table["identity"].isin(split)].reset_index(drop=True)
    return table.assign(split=table["identity"].map(split).astype("str"))


def _division(folder: Path, there: set[str]) -> dict[str, str]:
    """Say to which part each person belongs."""
    split = {}
    for part, ending in PARTS.items():
        usual = (f"people{ending}.txt", f"pairs{ending}.txt")
        source = listing.find(folder, usual, HOME)
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines()[1:], 2):
            for person, image in _named(source, number, line.split()):
                if f"{person}_{image:04d}" not in there:
                    raise ValueError(f"{source} names {person}_{image:04d}, which is not there")
                split[person] = part
    return split


def _named(source: Path, number: int, words: list[str]) -> list[tuple[str, int]]:
    """Read the images that a line names: a person and how many, or a pair."""
    match words:
        case [person, count] if count.isdecimal():
            return [(person, int(count))]
        case [person, one, other] if one.isdecimal() and other.isdecimal():
            return [(person, int(one)), (person, int(other))]
        case [person, one, stranger, other] if one.isdecimal() and other.isdecimal():
            return [(person, int(one)), (stranger, int(other))]
    raise ValueError(f"{source}, line {number} names neither a person nor a pair")
