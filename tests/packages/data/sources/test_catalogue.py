from dataclasses import replace

import numpy as np
import pytest
from facelab_data import stimuli
from facelab_data.sources.catalogue import SOURCES
from facelab_data.sources.folders import read_folder
from facelab_data.sources.photographs import WITH_LABELS
from facelab_data.splits import Splits


def fer(put):
    rows = [f"{row % 2},{' '.join(['7'] * 48 * 48)},Training" for row in range(4)]
    put.text("fer2013.csv", "\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return {"factors": {"expression": "categorical"}, "split": "split"}


def celeba(put):
    put(*(f"img_align_celeba/{name}.jpg" for name in "abcd"), brightness=7)
    put.text("identity_CelebA.txt", "a.jpg 9\nb.jpg 10\nc.jpg 9\nd.jpg 10\n")
    return {"identity": "identity"}


def kdef(put):
    put(*(f"KDEF/AF0{who}{mood}S.JPG" for who in "12" for mood in ("AN", "HA")), brightness=7)
    return {"identity": "identity", "factors": {"expression": "categorical"}}


def imagenet(put):
    put(*(f"train/{name}/{image}.JPEG" for name in ("n1", "n2") for image in "ab"), brightness=7)
    return {"factors": {"wnid": "categorical"}, "split": "split"}


@pytest.mark.parametrize("layout", [fer, celeba, kdef, imagenet])
def test_a_published_layout_becomes_a_stimulus_set(put, ask, tmp_path, layout):
    source = {"fer": "fer2013"}.get(layout.__name__, layout.__name__)
    row = ask(source, **layout(put))
    row = replace(row, splits=Splits(training=1, validation=0, testing=0, holdout=0))
    read_folder(tmp_path / "set.h5", row, seed=0)
    made = stimuli.read(tmp_path / "set.h5")
    assert (made.images() == 7).all()
    assert made.images().shape == (4, 8, 8, 3)
    assert set(made.factors["split"]) == {"training"}
    assert set(made.kinds) == {*row.factors, *(["identity"] if row.identity else [])}
    assert made.provenance["source"] == source
    if row.identity:
        assert np.bincount(made.factors["identity"]).tolist() == [2, 2]


@pytest.mark.parametrize("name", SOURCES)
def test_an_empty_folder_is_refused_in_one_line_that_names_it(ask, tmp_path, name):
    extra = {"labels": "labels.csv", "file_column": "file"} if name == "csv" else {}
    row = ask(name, factors={"category": "categorical"}, **extra)
    with pytest.raises((FileNotFoundError, ValueError)) as error:
        SOURCES[name].read(row)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_each_source_is_known_by_the_choices_it_has():
    assert set(WITH_LABELS) < set(SOURCES)
