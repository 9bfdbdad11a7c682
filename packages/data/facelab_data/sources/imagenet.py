"""ImageNet (Russakovsky et al. 2015), or any set in its layout: a folder per class.

Layout: ``train/n01440764/*.JPEG`` and ``val/n01440764/*.JPEG``, or the class folders alone; also
below ILSVRC/Data/CLS-LOC. Images that lie loose in val/ find their class in LOC_val_solution.csv;
loose ones in test/ have none and are left out. The order of the classes is in
LOC_synset_mapping.txt, imagenet_class_index.json or imagenet_wnids.txt (or the file that the row's
``labels`` names: a .json, or text with a line per class that begins with its folder's name).

Columns: ``wnid``, the folder; ``split``; from the class file ``class_index`` and ``class_name``.
"""

import json
from pathlib import Path

import pandas as pd

from facelab_data.sources import listing
from facelab_data.sources.photographs import Photographs

HOME = "ImageNet is at https://image-net.org"
INDEX = ("LOC_synset_mapping.txt", "imagenet_class_index.json", "imagenet_wnids.txt")
DEEP = "ILSVRC/Data/CLS-LOC"
SOLUTION = "LOC_val_solution.csv"
PARTS = ("val", "test")


def read(photographs: Photographs) -> pd.DataFrame:
    """List the images, with the number and name of their class if asked for.

    Raises
    ------
    FileNotFoundError, ValueError
        When the class file is not there, is none, or lacks a class.
    """
    folder = Path(photographs.path)
    root = listing.find(folder, (DEEP, "."), HOME)
    table = _listed(folder, root)
    table["file"] = [(root / name).relative_to(folder).as_posix() for name in table["file"]]
    if not {"class_index", "class_name"} & set(photographs.columns):
        return table
    source = listing.find(folder, [photographs.labels] if photographs.labels else INDEX, HOME)
    classes = _classes(source)
    index = {wnid: str(number) for number, (wnid, _) in enumerate(classes)}
    return table.assign(
        class_index=listing.look_up(table["wnid"], index, source),
        class_name=listing.look_up(table["wnid"], dict(classes), source),
    )


def _listed(folder: Path, root: Path) -> pd.DataFrame:
    """List the images in folders, and those of the flat validation part of the official archive."""
    files = listing.images(root)
    flat = {part: [file for file in files if Path(file).parts[:-1] == (part,)] for part in PARTS}
    inner = sorted(set(files).difference(*flat.values()))
    table = listing.labelled(root, inner).rename(columns={"label": "wnid"})
    if not flat["val"]:
        return table
    source = listing.find(folder, [SOLUTION], HOME)
    lines = listing.fields(source, ("name", "objects"), skip=1, separator=",")
    known = dict(zip(lines["name"], lines["objects"].str.split().str[0], strict=True))
    names = pd.Series([Path(file).stem for file in flat["val"]], dtype="str")
    wnid = listing.look_up(names, known, source)
    validation = listing.text(file=flat["val"], wnid=wnid, split=["validation"] * len(wnid))
    return pd.concat([table, validation], ignore_index=True)


def _classes(source: Path) -> list[tuple[str, str]]:
    """Read folder and name of every class, in the order of their numbers."""
    if source.suffix == ".json":
        try:
            entries = json.loads(source.read_bytes())
            return [tuple(entries[str(number)]) for number in range(len(entries))]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{source} is no class index: {error!r}") from None
    lines = [line.strip() for line in source.read_text(encoding="utf-8-sig").splitlines()]
    pairs = [line.partition(" ") for line in lines if line]
    return [(wnid, name.partition(",")[0].strip() or wnid) for wnid, _, name in pairs]
