import numpy as np
import pytest
from facelab_data import anatomy, makehuman
from facelab_data.rendering.scene import EYE_LEFT, EYE_RIGHT, LASHES, SKIN

from tests.packages.data import puppet


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return puppet.write(tmp_path_factory.mktemp("anatomy")) / "mpfb2"


@pytest.fixture(scope="module")
def bust(folder):
    return makehuman.read_bust(folder)


@pytest.fixture(scope="module")
def maps(bust, folder):
    return anatomy.draw_maps(bust, folder / "textures")


def test_every_map_has_a_number_per_vertex_in_its_range(bust, maps):
    for name, drawn in maps.items():
        assert drawn.shape == (len(bust.vertices),), name
        if name not in ("scalp", "cloth", "azimuth"):
            assert 0 <= drawn.min() <= drawn.max() <= 1.2, name
    assert 0 <= maps["azimuth"].min() <= maps["azimuth"].max() <= np.pi


def test_what_is_drawn_by_place_is_the_same_on_both_sides(bust, maps):
    left = {tuple(v.round(6)): i for i, v in enumerate(bust.vertices)}
    mirror = [left[tuple((v * [-1, 1, 1]).round(6) + 0.0)] for v in bust.vertices]
    for name in ("azimuth", "cloth", "pose_weight"):
        np.testing.assert_allclose(maps[name][mirror], maps[name], atol=1e-9)


def test_a_mask_is_looked_up_at_each_vertex(bust, maps):
    """The mask of the lips is white on the subject's left, that of the ears black all over."""
    skin = anatomy.vertex_parts(bust) == SKIN
    left = bust.vertices[:, 0] > 0
    assert maps["lips"][skin & left].min() > 0.95
    assert maps["lips"][skin & ~left].max() < 0.05
    assert (maps["lips"][~skin] == 0).all()
    assert maps["ears"].max() < 0.02


def test_each_vertex_belongs_to_the_part_of_its_quads(bust):
    part = anatomy.vertex_parts(bust)
    np.testing.assert_array_equal(part[bust.quads], np.repeat(bust.parts[:, None], 4, axis=1))


def test_the_hairline_is_the_same_on_both_sides_and_passes_its_points():
    azimuth = np.linspace(0, np.pi, 50)
    np.testing.assert_array_equal(anatomy.hairline(azimuth), anatomy.hairline(-azimuth))
    np.testing.assert_allclose(
        anatomy.hairline(np.radians(anatomy.HAIRLINE_DEG)), anatomy.HAIRLINE_M
    )


def test_eyes_are_drawn_by_direction_and_all_else_by_place(bust):
    place, part = anatomy.place(bust), anatomy.vertex_parts(bust)
    for eye, x in ((EYE_LEFT, 0.03), (EYE_RIGHT, -0.03)):
        np.testing.assert_allclose(anatomy.eye_centre(bust, eye), [x, 0.73, 0.12])
        np.testing.assert_allclose(np.linalg.norm(place[part == eye], axis=1), 1)
        np.testing.assert_allclose(place[part == eye].sum(axis=0), 0, atol=1e-9)
    skin = part == SKIN
    expected = (bust.vertices[skin] - anatomy.CANONICAL_ORIGIN) * 10
    np.testing.assert_allclose(place[skin], expected)


def test_lashes_run_from_root_to_tip_and_upper_ones_are_told_from_lower(bust):
    across, along = anatomy.lashes(bust)
    is_lash = anatomy.vertex_parts(bust) == LASHES
    assert (along[~is_lash] == 0).all()
    assert (along >= 0).all()
    assert along[is_lash].max() == 1
    above = bust.vertices[:, 1] > 0.73
    np.testing.assert_array_equal(across[is_lash] > 100, above[is_lash])
