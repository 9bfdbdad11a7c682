"""COCO (Lin et al. 2014): everyday scenes, every object outlined.

Layout: ``train2017/*.jpg``, ``val2017/*.jpg``, ``unlabeled2017/*.jpg`` (here or in images/) and
``annotations/instances_train2017.json`` and so on. The row's ``labels`` names one part
(``val2017``); empty takes all that have an instances file. A part without such a file is taken as
images without labels.

Columns: ``split``: train and val are training and validation; ``category`` and ``supercategory``
of the largest single object (crowds are none); ``has_<category>`` (spaces become _), absent or
present, for each of the categories.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from facelab_data.sources import listing
from facelab_data.sources.photographs import Photographs

HOME = "COCO is at https://cocodataset.org"
PARTS = {"train": "training", "val": "validation", "test": "testing"}


def read(photographs: Photographs) -> pd.DataFrame:
    """List the images of the parts that are asked for.

    Raises
    ------
    FileNotFoundError, ValueError
        When folders or files are not there, or do not name the same images.
    """
    folder = Path(photographs.path)
    parts = [photographs.labels]
    if not photographs.labels:
        files = sorted(folder.glob("annotations/instances_*.json"))
        parts = [file.stem.removeprefix("instances_") for file in files]
    if not parts:
        listing.find(folder, ["annotations/instances_train2017.json"], HOME)
    return pd.concat([_part(folder, part) for part in parts], ignore_index=True)


def _part(folder: Path, part: str) -> pd.DataFrame:
    """List the images of one part."""
    place = listing.find(folder, (part, f"images/{part}"), HOME)
    there = listing.images(place)
    table = pd.DataFrame({"name": there}, dtype="str")
    source = folder / "annotations" / f"instances_{part}.json"
    if source.is_file():
        table = _labelled(source)
        listing.check_listed(source, table["name"], there)
    prefix = place.relative_to(folder).as_posix()
    split = next((split for start, split in PARTS.items() if part.startswith(start)), None)
    table.insert(0, "file", [f"{prefix}/{name}" for name in table.pop("name")])
    return table.assign(split=pd.array([split] * len(table), dtype="str"))


def _labelled(source: Path) -> pd.DataFrame:
    """Read what is in the images that an instances file lists."""
    try:
        known = json.loads(source.read_bytes())
        names = {entry["id"]: entry["file_name"] for entry in known["images"]}
        kinds = {entry["id"]: entry for entry in known["categories"]}
        objects = [
            (entry["image_id"], entry["category_id"], entry["area"], bool(entry["iscrowd"]))
            for entry in known["annotations"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{source} is no whole instances file: {error!r}") from None
    table = pd.DataFrame({"name": list(names.values())}, index=list(names), dtype="str")
    objects = pd.DataFrame(objects, columns=["image", "category", "area", "crowd"])
    stray = objects.loc[~objects["image"].isin(names), "image"]
    if len(stray):
        raise ValueError(f"{source} outlines objects in an image it does not list: {stray.iloc[0]}")
    single = objects[~objects["crowd"]].sort_values("area", ascending=False, kind="stable")
    largest = single.drop_duplicates("image").set_index("image")["category"].reindex(table.index)
    for column, key in {"category": "name", "supercategory": "supercategory"}.items():
        words = {code: entry[key] for code, entry in kinds.items()}
        table[column] = largest.map(words).astype("str")
    present = {
        f"has_{entry['name'].replace(' ', '_')}": table.index.isin(
            objects.loc[objects["category"] == code, "image"]
        )
        for code, entry in kinds.items()
    }
    words = {
        name: pd.array(np.where(found, "present", "absent"), dtype="str")
        for name, found in present.items()
    }
    return table.assign(**words).reset_index(drop=True)
