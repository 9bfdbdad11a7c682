import hashlib
import io

import numpy as np
import pytest
from facelab_data import bake, morphable

from tests.packages.data import puppet


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return puppet.write(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def arrays(source):
    return bake.bake(source)


@pytest.fixture(scope="module")
def model(arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp("asset") / "face.npz"
    bake.write(arrays, path)
    return morphable.load(path)


def test_baking_twice_gives_the_same_bytes(source, arrays, tmp_path):
    bake.write(arrays, tmp_path / "a.npz")
    bake.write(bake.bake(source), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_what_is_baked_can_be_loaded(model, arrays):
    assert len(model.rest) == len(arrays["vertices"])
    assert set(model.action_names) == {"jawOpen", *morphable.EASE}


def test_a_trait_is_half_the_way_between_the_ends_of_its_slider(arrays):
    """Both ends move one vertex 0.1 dm up or down; its mirror image shares the move."""
    moves = dict(
        zip(arrays["labels"], arrays["basis"] * float(arrays["basis_step_m"]), strict=True)
    )
    trait = moves["shape:nose-less-more"]
    assert trait[:, 1].sum() == pytest.approx(0.01, abs=1e-4)
    assert np.count_nonzero(trait) == 2


def test_identity_moves_both_halves_alike_and_asymmetry_against_each_other(arrays):
    for label, moves in zip(arrays["labels"], arrays["basis"], strict=True):
        turned = moves[arrays["mirror"]] * [-1, 1, 1]
        if label.startswith("asymmetry:"):
            np.testing.assert_array_equal(turned, -moves)
            assert moves.any()
        elif not label.startswith("action:"):
            np.testing.assert_array_equal(turned, moves)


def test_where_the_head_sits_on_the_body_is_no_trait(arrays):
    """Mean faces move the whole head, and one vertex by 2 mm and more besides."""
    macro = [str(label).startswith("macro:") for label in arrays["labels"]]
    assert sum(macro) == 24
    for moves in arrays["basis"][macro]:
        assert np.count_nonzero(moves.any(axis=1)) == 2


def test_hair_is_rooted_on_the_skull_wherever_a_ray_goes(arrays):
    corners = arrays["vertices"][arrays["root_vertices"]]
    places = (corners * arrays["root_weights"][..., None]).sum(axis=2)
    middle = np.array(puppet.SKULL_DM) / 10 - np.array([0, 0.73, 0.12])
    reach = np.abs(places - middle).max(axis=2)
    np.testing.assert_allclose(reach, puppet.HALF_DM / 10, atol=1e-4)
    np.testing.assert_allclose(arrays["root_weights"].sum(axis=2), 1, atol=1e-6)


def test_light_is_a_share(arrays):
    maps = dict(zip(arrays["map_names"], arrays["maps"], strict=True))
    assert 0 <= maps["occlusion"].min() < maps["occlusion"].max() <= 1


def test_a_folder_without_the_mesh_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no mpfb2/3dobjs/base.obj; give the data folder"):
        bake.bake(tmp_path)


def test_a_mesh_with_one_side_only_is_refused(tmp_path):
    folder = puppet.write(tmp_path)
    mesh = folder / "mpfb2" / "3dobjs" / "base.obj"
    mesh.write_text(mesh.read_text().replace("v 1.0 8.65 1.5\n", "v 1.02 8.65 1.5\n"))
    with pytest.raises(ValueError, match="not symmetric"):
        bake.bake(folder)


def test_an_asset_appears_complete_or_not_at_all(arrays, tmp_path, monkeypatch):
    path = tmp_path / "face.npz"
    path.write_bytes(b"what was there")

    def fail(file: io.BytesIO, **_):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="disk full"):
        bake.write(arrays, path)
    assert path.read_bytes() == b"what was there"


def test_the_shipped_asset_is_the_one_whose_provenance_is_told():
    told = morphable.ASSET.with_name("PROVENANCE.md").read_text()
    assert hashlib.sha256(morphable.ASSET.read_bytes()).hexdigest() in told
