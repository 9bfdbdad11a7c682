"""VGGFace2 (Cao, Shen, Xie, Parkhi & Zisserman 2018): 9,131 people, 3.3 million images.

Layout: ``train/n000002/0001_01.jpg`` and ``test/…``, with identity_meta.csv (here or in meta/)
when gender is asked for: ``Class_ID, Name, Sample_Num, Flag, Gender``.

Columns: ``identity``; ``split``, whose people are disjoint; ``gender``.
"""

import csv
import re
from pathlib import Path

import pandas as pd

from facelab_data.sources import listing
from facelab_data.sources.photographs import Photographs

HOME = "VGGFace2 is described at https://github.com/ox-vgg/vgg_face2"
META = ("identity_meta.csv", "meta/identity_meta.csv")
PERSON = re.compile(r"n\d{6}")
GENDERS = {"f": "female", "m": "male"}


def read(photographs: Photographs) -> pd.DataFrame:
    """List the images, with their people's gender if it is asked for.

    Raises
    ------
    FileNotFoundError, ValueError
        When the folders are not called so, when the meta file is not there or does not know one.
    """
    folder = Path(photographs.path)
    table = listing.classes(folder).rename(columns={"label": "identity"})
    strange = [name for name in table["identity"].unique() if not PERSON.fullmatch(name)]
    if strange:
        raise ValueError(f"{folder} holds {strange[0]!r}, which is no person like n000002; {HOME}")
    if "gender" not in photographs.columns:
        return table
    source = listing.find(folder, META, HOME)
    return table.assign(gender=listing.look_up(table["identity"], _genders(source), source))


def _genders(source: Path) -> dict[str, str]:
    with source.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        names = [name.strip() for name in reader.fieldnames or []]
        reader.fieldnames = names
        for name in ("Class_ID", "Gender"):
            if name not in names:
                raise ValueError(f"{source} has no column {name!r}; it has {', '.join(names)}")
        rows = [(row["Class_ID"], (row["Gender"] or "").strip()) for row in reader]
    people, genders = (pd.Series(values, dtype="str") for values in zip(*rows, strict=True))
    return dict(zip(people, listing.look_up(genders, GENDERS, source), strict=True))
