"""FER2013 (Goodfellow et al. 2013): 48 by 48 grey faces, seven expressions.

Layout, either of::

    fer2013.csv or icml_face_data.csv     emotion 0 … 6, pixels "70 80 …", Usage; in any order
    train/<expression>/*.jpg, test/…      as the same images are passed on in folders

Columns: ``expression``, in the generator's words; ``split``: Training, PublicTest, PrivateTest are
training, validation, testing. Nobody knows who these people are.

An image of the CSV file is called by its row and where the row begins, in bytes.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from facelab_data.sources import listing, pixels
from facelab_data.sources.photographs import Photographs

HOME = (
    "FER2013 is at https://www.kaggle.com/c/"
    "challenges-in-representation-learning-facial-expression-recognition-challenge"
)
FILES = ("fer2013.csv", "icml_face_data.csv", "fer2013/fer2013.csv", "train")
SIDE = 48
EMOTIONS = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")
FOLDERS = {name: name for name in EMOTIONS} | {"angry": "anger"}
USAGES = {"Training": "training", "PublicTest": "validation", "PrivateTest": "testing"}


def read(photographs: Photographs) -> pd.DataFrame:
    """List the images of a CSV file, or of folders.

    Raises
    ------
    FileNotFoundError, ValueError
        When neither is there; when a column, a line or part of a line is missing.
    """
    folder = Path(photographs.path)
    names = (photographs.labels,) if photographs.labels else FILES
    found = listing.find(folder, names, HOME)
    if found.is_dir():
        table = listing.classes(folder).rename(columns={"label": "expression"})
        shown = listing.look_up(table["expression"].str.lower(), FOLDERS, folder)
        return table.assign(expression=shown)
    return _scan(found, found.relative_to(folder).as_posix())


def picture(path: Path) -> Image.Image:
    """Open an image: of a file of its own, or of a row of the CSV file."""
    if not path.parent.is_file():
        return pixels.picture(path)
    with path.parent.open("rb") as file:
        file.seek(int(path.name.partition("@")[2]))
        values = max(_split(file.readline()), key=len).split()
    return Image.fromarray(np.array(values, np.uint8).reshape(SIDE, SIDE)).convert("RGB")


def _scan(source: Path, prefix: str) -> pd.DataFrame:
    """Go through the CSV file once, keeping the labels and where each row begins."""
    rows = []
    with source.open("rb") as file:
        header = file.readline()
        names = _split(header)
        for name in ("emotion", "pixels", "Usage"):
            if name not in names:
                raise ValueError(f"{source} has no column {name!r}; it has {', '.join(names)}")
        offset = len(header)
        for number, line in enumerate(file):
            values = dict(zip(names, _split(line), strict=False))
            if not line.strip():
                continue
            if values.get("pixels", "").count(" ") != SIDE**2 - 1 or len(values) < len(names):
                raise ValueError(f"{source}, line {number + 2} is no whole image of {SIDE}²")
            rows.append((f"{prefix}/{number:05d}@{offset}", values["emotion"], values["Usage"]))
            offset += len(line)
    if not rows:
        raise ValueError(f"{source} lists no images")
    file, expression, split = zip(*rows, strict=True)
    emotions = {str(code): name for code, name in enumerate(EMOTIONS)}
    table = listing.text(file=file, expression=expression, split=split)
    return table.assign(
        expression=listing.look_up(table["expression"], emotions, source),
        split=listing.look_up(table["split"], USAGES, source),
    )


def _split(line: bytes) -> list[str]:
    return [value.strip(' "\r\n') for value in line.decode("utf-8-sig").split(",")]
