import numpy as np
import pytest
from facelab_data import makehuman
from facelab_data.rendering.scene import EYE_LEFT, LASHES, SKIN

from tests.packages.data import puppet


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return puppet.write(tmp_path_factory.mktemp("makehuman")) / "mpfb2"


@pytest.fixture(scope="module")
def bust(folder):
    return makehuman.read_bust(folder)


def test_vertices_come_in_metres_and_each_once(bust):
    body = bust.vertices[np.unique(bust.quads[bust.parts == SKIN])]
    np.testing.assert_allclose(body.min(axis=0), [-0.1, 0.665, -0.05])
    np.testing.assert_allclose(body.max(axis=0), [0.1, 0.865, 0.15])
    assert len(np.unique(bust.vertices, axis=0)) == len(bust.vertices)


def test_the_rest_of_the_body_is_left_out(bust):
    assert bust.vertices[:, 1].min() > puppet.BELOW_DM * 0.1
    assert bust.vertices[:, 1].max() < 0.9
    assert bust.source_count > len(bust.vertices)
    assert set(bust.quads.ravel()) == set(range(len(bust.vertices)))


def test_every_quad_knows_its_part(bust):
    squares = {part: (bust.parts == part).sum() for part in (SKIN, EYE_LEFT, LASHES)}
    assert squares == {SKIN: 6 * puppet.SQUARES**2, EYE_LEFT: 6, LASHES: 4}
    eye = bust.vertices[bust.quads[bust.parts == EYE_LEFT]]
    np.testing.assert_allclose(eye.mean(axis=(0, 1)), np.array([0.3, 7.3, 1.2]) / 10)
    upper = bust.vertices[bust.quads[bust.upper_lashes]]
    assert len(upper) == 2
    assert (upper[:, :, 1] > 0.73).all()


def test_texture_coordinates_stay_with_their_vertex(bust):
    np.testing.assert_array_equal(bust.uv[:, 0], np.where(bust.vertices[:, 0] > 0, 0.25, 0.75))


@pytest.mark.parametrize("name", ["plain.target", "packed.target.gz"])
def test_a_target_moves_the_vertices_that_it_lists(bust, tmp_path, name):
    kept, left_out = bust.source[7], bust.source_count - 1
    assert left_out not in bust.source
    puppet.write_target(tmp_path / name, [(kept, 1, -2, 0.5), (left_out, 9, 9, 9)])
    moves = makehuman.read_target(tmp_path / name, bust)
    np.testing.assert_allclose(moves[7], [0.1, -0.2, 0.05])
    assert np.count_nonzero(moves) == 3


def test_sliders_are_the_traits_of_the_face_in_order(folder):
    names = [slider.name for slider in makehuman.read_sliders(folder)]
    wanted = [f"{area}-{end}" for area in makehuman.FACE_FOLDERS for end in ("less-more", "alone")]
    assert names == wanted


def test_a_slider_has_two_ends_or_one(folder):
    both, alone = makehuman.read_sliders(folder)[:2]
    assert [path.name for path in both.negative] == ["head-less.target.gz"]
    assert [path.name for path in both.positive] == ["head-more.target.gz"]
    assert alone.negative == ()
    assert alone.positive[0].is_file()
