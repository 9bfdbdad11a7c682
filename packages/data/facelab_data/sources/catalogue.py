"""The data sets that can be brought in, each with its reader.

A reader lists the images of a folder in the data set's published layout, as a table of text:
``file``, the path within the folder, and the columns that the data set has to offer, missing values
being empty. It reads labels only; the images follow later, one block after the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from PIL import Image

from facelab_data.sources import (
    celeba,
    coco,
    fer2013,
    imagenet,
    kdef,
    lfw,
    pixels,
    places365,
    plain,
    vggface2,
    voxceleb,
)
from facelab_data.sources.photographs import Photographs


@dataclass(frozen=True)
class Source:
    """How a data set's labels are read, and how one of its images is opened."""

    read: Callable[[Photographs], pd.DataFrame]
    picture: Callable[[Path], Image.Image] = pixels.picture


SOURCES = {
    "folder": Source(plain.read_folder),
    "csv": Source(plain.read_csv),
    "avatar": Source(plain.read_two_classes),
    "celeba": Source(celeba.read),
    "coco": Source(coco.read),
    "fer2013": Source(fer2013.read, fer2013.picture),
    "imagenet": Source(imagenet.read),
    "kdef": Source(kdef.read),
    "lfw": Source(lfw.read),
    "places365": Source(places365.read),
    "vggface2": Source(vggface2.read),
    "voxceleb": Source(voxceleb.read),
}
