"""Places365 (Zhou, Lapedriza, Khosla, Oliva & Torralba 2018): scenes of 365 categories.

Layout, either of::

    train/a/airfield/00000001.jpg, val/…             folders, with or without the letter
    places365_train_standard.txt, places365_val.txt  lists: /a/airfield/00000001.jpg 0
    data_256/a/airfield/… , val_256/*.jpg            their images (or data_large, val_large)

Columns: ``split``; ``category``, without its letter (``apartment_building/outdoor``);
``category_index`` when categories_places365.txt is there. The list of the validation images needs
that file.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from facelab_data.sources import listing
from facelab_data.sources.photographs import Photographs

HOME = "Places365 is at http://places2.csail.mit.edu"
INDEX = "categories_places365.txt"
LISTS = {
    "places365_train_standard.txt": ("training", ("data_256", "data_large", "train")),
    "places365_val.txt": ("validation", ("val_256", "val_large", "val")),
}


def read(photographs: Photographs) -> pd.DataFrame:
    """List the images of folders, or of the official lists.

    Raises
    ------
    FileNotFoundError, ValueError
        When neither is there, or lists and images do not agree.
    """
    folder = Path(photographs.path)
    lists = [name for name in LISTS if (folder / name).is_file()]
    index = _index(folder / INDEX) if (folder / INDEX).is_file() else {}
    if lists:
        table = pd.concat([_listed(folder, name, index) for name in lists], ignore_index=True)
    else:
        table = _folders(folder)
    if index:
        words = table["category"].str.replace("-", "/")
        meanings = index | {name.replace("-", "/"): code for name, code in index.items()}
        table["category_index"] = listing.look_up(words, meanings, folder / INDEX)
    return table


def _folders(folder: Path) -> pd.DataFrame:
    table = listing.classes(folder)
    if "split" not in table:
        listing.find(folder, ("train", *LISTS), HOME)
        raise ValueError(f"{folder} holds other folders than train and val; {HOME}")
    inner = [_category(file.split("/")[1:-1]) for file in table["file"]]
    return table.drop(columns="label").assign(category=pd.array(inner, dtype="str"))


def _listed(folder: Path, name: str, index: Mapping[str, str]) -> pd.DataFrame:
    """Read an official list; a training image's path tells its category, else the number does."""
    split, usual = LISTS[name]
    root = listing.find(folder, usual, HOME)
    table = listing.fields(folder / name, ("file", "code"))
    files = table["file"].str.removeprefix("/")
    listing.check_listed(folder / name, files, listing.images(root))
    if files.str.contains("/").all():
        category = pd.Series([_category(file.split("/")[:-1]) for file in files], dtype="str")
    else:
        listing.find(folder, [INDEX], HOME)
        names = {code: category for category, code in index.items()}
        category = listing.look_up(table["code"], names, folder / name)
    prefix = root.relative_to(folder).as_posix()
    return listing.text(file=f"{prefix}/" + files, category=category, split=[split] * len(files))


def _category(steps: list[str]) -> str:
    """Join the folders of an image to a category, without its letter."""
    return "/".join(steps[1:] if len(steps[0]) == 1 and len(steps) > 1 else steps)


def _index(source: Path) -> dict[str, str]:
    table = listing.fields(source, ("category", "code"))
    names = [_category(name.strip("/").split("/")) for name in table["category"]]
    return dict(zip(names, table["code"], strict=True))
