from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from facelab_data import shards
from facelab_data.shards import Pen

TABLE = pd.DataFrame({"brightness": [10, 20, 30, 40]}, index=[5, 6, 7, 8])


def open_model(path):
    return path.read_text()


def scribble(model, factors, *, size_px, eyes, seed):
    if (factors["brightness"] > 90).any():
        raise ValueError("too bright\nfor paper")
    images = np.full((len(factors), eyes, size_px, size_px, 3), seed + len(model), np.uint8)
    return images + factors["brightness"].to_numpy(np.uint8)[:, None, None, None, None]


@pytest.fixture
def pen(tmp_path):
    (tmp_path / "model").write_text("abc")
    shards.opened.cache_clear()
    return Pen(
        open_model=open_model, draw=scribble, model=tmp_path / "model", size_px=4, eyes=2, seed=1
    )


def test_a_shard_that_was_drawn_can_be_loaded(tmp_path, pen):
    assert shards.draw(pen, tmp_path / "0.npz", TABLE) == 4
    images = shards.load(tmp_path / "0.npz", pen.shape(4))
    assert images[:, 1, 0, 0, 0].tolist() == [14, 24, 34, 44]


def test_the_model_is_opened_once(tmp_path, pen):
    shards.draw(pen, tmp_path / "0.npz", TABLE)
    (tmp_path / "model").unlink()
    shards.draw(pen, tmp_path / "1.npz", TABLE)
    assert shards.load(tmp_path / "1.npz", pen.shape(4)) is not None


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.99])
def test_a_shard_that_was_cut_or_changed_anywhere_is_not_accepted(tmp_path, pen, place):
    path = tmp_path / "0.npz"
    shards.draw(pen, path, TABLE)
    whole = path.read_bytes()
    middle = whole.index(np.full(30, 14, np.uint8).tobytes()) + 5
    for damaged in [
        whole[: int(place * len(whole))],
        whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
    ]:
        path.write_bytes(damaged)
        assert shards.load(path, pen.shape(4)) is None
    path.write_bytes(whole)
    assert shards.load(path, pen.shape(4)) is not None


def test_an_absent_shard_and_one_of_another_shape_are_not_accepted(tmp_path, pen):
    assert shards.load(tmp_path / "0.npz", pen.shape(4)) is None
    shards.draw(pen, tmp_path / "0.npz", TABLE)
    assert shards.load(tmp_path / "0.npz", pen.shape(3)) is None


def test_the_image_that_cannot_be_drawn_is_named_in_one_line(tmp_path, pen):
    bad = TABLE.assign(brightness=[10, 20, 99, 40])
    message = r"^cannot draw image 7: ValueError: too bright for paper$"
    with pytest.raises(RuntimeError, match=message):
        shards.draw(pen, tmp_path / "0.npz", bad)
    assert not (tmp_path / "0.npz").exists()


def test_images_of_the_wrong_shape_are_refused(tmp_path, pen):
    narrow = Pen(**vars(pen) | {"draw": lambda *_, **__: np.zeros((4, 4, 4, 3), np.uint8)})
    with pytest.raises(RuntimeError, match="images 5 … 8 were drawn as uint8"):
        shards.draw(narrow, tmp_path / "0.npz", TABLE)


def test_an_absent_model_is_reported_as_such(tmp_path, pen):
    with pytest.raises(FileNotFoundError):
        shards.draw(Pen(**vars(pen) | {"model": Path("nowhere")}), tmp_path / "0.npz", TABLE)
