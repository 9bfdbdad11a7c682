"""CelebA (Liu, Luo, Wang & Tang 2015): celebrities, 40 attributes.

Layout, flat or with the folders Img, Anno and Eval of the official archive::

    img_align_celeba/000001.jpg   (else img_celeba, the photographs as they were found)
    identity_CelebA.txt           file, number of the person
    list_attr_celeba.txt          how many; names; file and 40 times 1 or -1
    list_eval_partition.txt       file and 0, 1, 2

Columns: ``identity``; ``split``, whose people are disjoint; the attributes in lower case, absent
or present. A file of labels is needed only when one of its columns is asked for.
"""

from pathlib import Path

import pandas as pd

from facelab_data.sources import listing
from facelab_data.sources.photographs import Photographs

HOME = "CelebA is at https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
IMAGES = ("img_align_celeba", "Img/img_align_celeba", "img_celeba", "Img/img_celeba")
PARTS = {"0": "training", "1": "validation", "2": "testing"}
WORDS = {"-1": "absent", "1": "present"}


def read(photographs: Photographs) -> pd.DataFrame:
    """List the images with the labels that are asked for.

    Raises
    ------
    FileNotFoundError, ValueError
        When a file is not there, was cut short, or does not name just the images that are there.
    """
    folder = Path(photographs.path)
    pictures = listing.find(folder, IMAGES, HOME)
    names = listing.images(pictures)
    prefix = pictures.relative_to(folder).as_posix()
    table = listing.text(name=names, file=[f"{prefix}/{name}" for name in names])
    wanted = set(photographs.columns)
    readers = {
        "identity": (_identities, wanted & {"identity"}),
        "split": (_parts, wanted & {"split"}),
        "attributes": (_attributes, wanted - {"identity", "split"}),
    }
    for reader, asked in readers.values():
        if asked:
            source, labels = reader(folder)
            listing.check_listed(source, labels["name"], names)
            table = table.merge(labels, on="name", validate="one_to_one")
    return table.drop(columns="name")


def _identities(folder: Path) -> tuple[Path, pd.DataFrame]:
    source = listing.find(folder, ("identity_CelebA.txt", "Anno/identity_CelebA.txt"), HOME)
    return source, listing.fields(source, ("name", "identity"))


def _parts(folder: Path) -> tuple[Path, pd.DataFrame]:
    usual = ("list_eval_partition.txt", "Eval/list_eval_partition.txt")
    source = listing.find(folder, usual, HOME)
    labels = listing.fields(source, ("name", "split"))
    return source, labels.assign(split=listing.look_up(labels["split"], PARTS, source))


def _attributes(folder: Path) -> tuple[Path, pd.DataFrame]:
    source = listing.find(folder, ("list_attr_celeba.txt", "Anno/list_attr_celeba.txt"), HOME)
    with source.open() as file:
        announced, names = file.readline().strip(), file.readline().lower().split()
    labels = listing.fields(source, ("name", *names), skip=2)
    if announced != str(len(labels)):
        raise ValueError(f"{source} announces {announced} images and lists {len(labels)}")
    known = {name: listing.look_up(labels[name], WORDS, source) for name in names}
    return source, labels.assign(**known)
