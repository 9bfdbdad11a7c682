"""Frames of VoxCeleb 1 and 2 (Nagrani, Chung & Zisserman 2017; Chung et al. 2018): faces in video.

Layout: ``id10001/<video>/<frame>.jpg``, also below other folders, with vox1_meta.csv or
vox2_meta.csv (tabs or commas) beside them when gender, nationality or split is asked for.

Columns: ``identity``, ``video``; from the meta file ``gender``, ``nationality`` (of the first
set only), ``split``: the set's dev people are training, its test people testing.

Frames of one video are nearly the same image. A selection per ``video`` keeps held-out images
from being copies of training images.
"""

import re
from pathlib import Path

import pandas as pd

from facelab_data.sources import listing
from facelab_data.sources.photographs import Photographs

HOME = "VoxCeleb is at https://www.robots.ox.ac.uk/~vgg/data/voxceleb"
SPEAKER = re.compile(r"id\d{5}")
META = ("vox1_meta.csv", "vox2_meta.csv", "meta/vox1_meta.csv", "meta/vox2_meta.csv")
GENDERS = {"f": "female", "m": "male"}
PARTS = {"dev": "training", "test": "testing"}


def read(photographs: Photographs) -> pd.DataFrame:
    """List the frames, with what the meta file says of their speakers.

    Raises
    ------
    FileNotFoundError, ValueError
        When a frame lies elsewhere than in a speaker's video, when the meta file is not there or
        does not know a speaker.
    """
    folder = Path(photographs.path)
    files = listing.images(folder)
    speakers, videos = zip(*(_place(folder, file) for file in files), strict=True)
    table = listing.text(file=files, identity=speakers, video=videos)
    if set(photographs.columns) <= {"identity", "video"}:
        return table
    source = listing.find(folder, [photographs.labels] if photographs.labels else META, HOME)
    return table.assign(**_about(source, table["identity"]))


def _place(folder: Path, file: str) -> tuple[str, str]:
    parts = file.split("/")
    at = [place for place, part in enumerate(parts[:-2]) if SPEAKER.fullmatch(part)]
    if not at:
        raise ValueError(f"{folder / file} lies in no folder like id10001/<video>; {HOME}")
    return parts[at[0]], parts[at[0] + 1]


def _about(source: Path, speakers: pd.Series) -> dict[str, pd.Series]:
    """Say of every frame what the meta file says of its speaker."""
    with source.open(encoding="utf-8-sig") as file:
        header = file.readline()
    separator = "\t" if "\t" in header else ","
    names = [name.strip() for name in header.split(separator)]
    meta = listing.fields(source, names, skip=1, separator=separator)
    for name in ("Gender", "Set"):
        if name not in names:
            raise ValueError(f"{source} has no column {name!r}; it has {', '.join(names)}")
    of = {
        "gender": listing.look_up(meta["Gender"], GENDERS, source),
        "split": listing.look_up(meta["Set"], PARTS, source),
    }
    of |= {"nationality": meta["Nationality"]} if "Nationality" in names else {}
    keys = meta[names[0]]
    return {
        name: listing.look_up(speakers, dict(zip(keys, values, strict=True)), source)
        for name, values in of.items()
    }
