import numpy as np
import pytest
import torch
from facelab_probing.occluders import NOISE_MEAN, NOISE_SD

from tests.packages.probing.hidden import occluder, photograph


@pytest.mark.parametrize(
    ("side", "size", "stride", "grid", "count"),
    [
        (227, 11, 3, "floor", 5329),
        (224, 11, 3, "floor", 5184),
        (224, 5, 5, "floor", 1936),
        (227, 11, 3, "captum", 5329),
        (224, 11, 8, "captum", 784),
    ],
)
def test_the_grids_have_the_published_numbers_of_places(side, size, stride, grid, count):
    places = occluder(size_px=size, stride_px=stride, grid=grid).places(side)
    assert len(places) ** 2 == count


def test_only_captums_last_places_are_cut_off():
    assert occluder(size_px=4, stride_px=3).places(9).tolist() == [0, 3]
    assert occluder(size_px=4, stride_px=3, grid="captum").places(9).tolist() == [0, 3, 6]


def test_noise_is_drawn_anew_for_each_pixel_and_again_from_the_same_seed(rng):
    how = occluder(filling="noise", size_px=20)
    squares = how.fill(photograph(), (5, 6), rng)
    assert squares.shape == (5, 6, 20, 20, 3)
    inside = (squares > 0) & (squares < 1)
    assert squares[inside].unique().numel() > 0.9 * inside.sum()
    assert abs(squares.mean() - NOISE_MEAN) < 0.01
    assert abs(squares.std() - NOISE_SD) < 0.02
    assert torch.equal(squares, how.fill(photograph(), (5, 6), np.random.default_rng(0)))


def test_plain_fillings_have_one_colour(rng):
    image = photograph()
    own = occluder(filling="mean").fill(image, (2, 2), rng)
    assert torch.allclose(own, image.mean((1, 2)).expand_as(own))
    given = occluder(filling="mean", colour=(0.1, 0.2, 0.3)).fill(image, (2, 2), rng)
    assert torch.allclose(given, torch.tensor([0.1, 0.2, 0.3]).to(given).expand_as(given))
    assert not occluder().fill(image, (2, 2), rng).any()


def test_patches_are_cut_from_the_other_image(rng):
    other = torch.arange(3 * 9 * 9, dtype=torch.float64).view(3, 9, 9)
    square = occluder(filling="patch", size_px=4).fill(photograph(), (1, 1), rng, other)[0, 0]
    top, left = divmod(int(square[0, 0, 0]), 9)
    assert torch.equal(square.permute(2, 0, 1), other[:, top : top + 4, left : left + 4])


def test_what_makes_no_occluder_is_refused_in_one_line(rng):
    with pytest.raises(ValueError, match=r"^unknown filling 'grey'; choose from noise, .*$"):
        occluder(filling="grey")
    with pytest.raises(ValueError, match=r"^unknown grid 'dense'; choose from floor, captum$"):
        occluder(grid="dense")
    with pytest.raises(ValueError, match=r"^size_px and stride_px are 1 or more, not 7 and 0$"):
        occluder(stride_px=0)
    with pytest.raises(ValueError, match=r"^an occluder of 7 px does not fit into .* 5 px$"):
        occluder().places(5)
    with pytest.raises(ValueError, match=r"^patches are cut from another image, .* is none$"):
        occluder(filling="patch").fill(photograph(), (1, 1), rng)
    with pytest.raises(ValueError, match=r"^colour has 1 values for images of 3 channels$"):
        occluder(filling="mean", colour=(0.5,)).fill(photograph(), (1, 1), rng)
