import h5py
import numpy as np
import pytest
import torch
import torch.nn as nn
from facelab_probing import portraits
from facelab_probing.fields import theoretical
from facelab_probing.mapping import Wanted, blocks, map_images, plan
from facelab_probing.occlusion import prepare

from tests.packages.probing.hidden import occluder

PX = 29


def bright(image):
    """Draw an image whose brightest part, all alike, lies somewhere else for each id."""
    pixels = np.random.default_rng(image).random((3, PX, PX), np.float32) * 0.2
    pixels[:, 8 + image : 16 + image, 9:17] = 1
    return pixels


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Portray three units of 7 × 7: one weighs 3 × 3 of it, one all of it, one is silent."""
    weights = torch.zeros(3, 3, 7, 7)
    weights[0, :, 2:5, 2:5] = 1
    weights[1] = 1
    net = nn.Sequential(nn.Conv2d(3, 3, 7, bias=False))
    net[0].weight.data = weights
    folder = tmp_path_factory.mktemp("portraits")
    ids = np.array([[0, 2, 1], [1, 0, -1], [0, 1, 2]])
    wanted = Wanted(layer="0", units=np.array([0, 1, 2]), ids=ids, alone=9.0)
    how = occluder(size_px=1, stride_px=1)

    def ready(layers):
        return prepare(net, layers, (PX, PX))

    paths = plan([wanted], folder / "maps")
    map_images(ready, [wanted], bright, how, paths, seed=0, others=[])
    field = theoretical(net, ["0"], (PX, PX))["0"]
    about = {"side_px": (PX, PX), "fraction": 0.5, "attributes": {"label": "conv"}}
    portraits.write(folder / "0.h5", wanted, blocks(paths, "0"), field, **about)
    return folder / "0.h5"


def test_a_planted_field_of_three_pixels_measures_three_and_the_null_seven(written):
    table = portraits.measures(written).set_index("unit")
    assert table["size_px"].to_numpy()[:2] == pytest.approx([3, 7], abs=1e-4)
    assert table["area_px"].to_numpy()[:2] == pytest.approx([3, 7])
    assert np.isnan(table["size_px"].iloc[2])
    assert (table["theoretical_px"] == 7).all()
    assert table["visible_px"].tolist()[:2] == [7, 7]
    assert np.isnan(table["visible_px"].iloc[2])
    assert table["images"].tolist() == [3, 2, 0]


def test_no_support_leaves_the_theoretical_box(written):
    with portraits.opened(written) as album, h5py.File(written) as file:
        for row in range(3):
            one = album.portrait(row)
            middle = len(one.picture) // 2
            inside = np.zeros_like(one.mask)
            inside[middle - 3 : middle + 4, middle - 3 : middle + 4] = True
            assert not one.picture[~inside].any()
            assert (file["drops"][row] != 0).sum(axis=(1, 2)).max() <= 49


def test_a_portrait_shows_each_image_with_what_the_unit_responds_to(written):
    with portraits.opened(written) as album:
        one = album.portrait(0)
        assert one.ids.tolist() == [0, 2, 1]
        assert one.painted.shape == one.segments.shape == (3, PX, PX)
        assert one.segments.sum(axis=(1, 2)).tolist() == [9, 9, 9]
        assert np.array_equal(one.segments, one.painted > 0)
        assert album.portrait(1).ids.tolist() == [1, 0]
        assert not album.portrait(2).segments.any()
        assert album.facts["label"] == "conv"
        assert album.facts["computed"] == "incremental"
    assert portraits.images(written).tolist() == [0, 1, 2]


def test_what_fails_halfway_leaves_nothing(written, tmp_path):
    def broken():
        raise OSError("gone")
        yield

    wanted = Wanted(layer="0", units=np.array([0]), ids=np.array([[0]]), alone=9.0)
    with pytest.raises(OSError, match="gone"):
        portraits.write(
            *(tmp_path / "0.h5", wanted, broken(), None),
            side_px=(PX, PX),
            fraction=0.5,
            attributes={},
        )
    assert not list(tmp_path.iterdir())
