import numpy as np
import pytest
from facelab_data.views import angle, show


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 256, size=(3, 9, 9, 3), dtype=np.uint8)


def test_upright_changes_nothing_and_shares_no_memory(faces):
    shown = show(faces, "upright")
    assert np.array_equal(shown, faces)
    assert not np.shares_memory(shown, faces)


def test_half_a_turn_is_a_flip_of_the_mirror_image(faces):
    assert np.array_equal(show(faces, "rotate_180"), show(faces[:, :, ::-1], "flip"))


@pytest.mark.parametrize("view", ["flip", "rotate_180"])
def test_turning_over_twice_gives_the_picture_back(faces, view):
    assert np.array_equal(show(show(faces, view), view), faces)
    assert not np.array_equal(show(faces, view), faces)


def test_a_quarter_turn_is_clockwise():
    picture = np.zeros((1, 2, 2, 3), np.uint8)
    picture[0, 0, 0] = 255  # top left
    assert (show(picture, "rotate_090")[0, 0, 1] == 255).all()  # top right


def test_an_angle_between_moves_a_spot_to_where_trigonometry_puts_it():
    size, spot = 65, np.array([32, 12])  # row, column: 20 px to the left of the centre
    picture = np.zeros((1, size, size, 3), np.uint8)
    picture[0, spot[0], spot[1]] = 255
    shown = show(picture, "rotate_030")[0, :, :, 0].astype(float)
    rows, columns = np.indices(shown.shape)
    centre = np.array([(shown * rows).sum(), (shown * columns).sum()]) / shown.sum()
    wanted = 32 + 20 * np.array([-np.sin(np.radians(30)), -np.cos(np.radians(30))])
    assert np.abs(centre - wanted).max() < 0.5


def test_no_angle_brings_a_colour_that_the_picture_lacks():
    grey = np.full((2, 16, 16, 3), 90, np.uint8)
    for view in ("rotate_030", "rotate_045", "rotate_150"):
        assert (show(grey, view) == 90).all()


def test_both_eyes_are_turned_alike(faces):
    pair = np.concatenate([faces, faces], axis=3)
    shown = show(pair, "rotate_030")
    assert np.array_equal(shown[..., :3], shown[..., 3:])
    assert np.array_equal(shown[..., :3], show(faces, "rotate_030"))


@pytest.mark.parametrize("view", ["sideways", "rotate_30", "rotate_360", ""])
def test_an_unknown_view_is_named_with_the_choices(faces, view):
    with pytest.raises(ValueError, match=rf"unknown view '{view}'; choose from upright, flip"):
        show(faces, view)


def test_only_half_turns_fit_pictures_that_are_not_square(faces):
    wide = faces[:, :5]
    assert show(wide, "rotate_180").shape == wide.shape
    with pytest.raises(ValueError, match="square"):
        show(wide, "rotate_090")


def test_angles_are_read_from_names():
    assert [angle(v) for v in ("upright", "flip", "rotate_000", "rotate_150")] == [0, 180, 0, 150]
