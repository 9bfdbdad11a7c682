import colorsys
import math

import numpy as np
import pytest
import scipy.stats
import torch
import torch.nn.functional as F
from facelab_models.augmentation import DRAWS, STILL, alter

from tests.packages.models.conftest import LIVELY, only

CHANCE = torch.rand(6, DRAWS, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def pictures():
    """Smooth pictures, whose pixels move little when resampled."""
    across = torch.linspace(0.1, 0.9, 32)
    ramp = across.view(1, 1, 1, 32) * torch.tensor([0.9, 0.5, 0.7]).view(1, 3, 1, 1)
    return ramp.expand(6, 3, 32, 32).clone()


def test_augmentation_off_is_no_change_at_all(pictures):
    assert alter(pictures, CHANCE, STILL) is pictures


def test_a_flip_mirrors_left_and_right(pictures):
    flipped = alter(pictures, CHANCE, only(flip=1.0))
    torch.testing.assert_close(flipped, pictures.flip(3), rtol=0, atol=1e-5)


def test_a_flip_happens_as_often_as_asked(pictures):
    flipped = alter(pictures, CHANCE, only(flip=0.5))[:, 0, 0, 0] > 0.5
    assert torch.equal(flipped, CHANCE[:, 3] < 0.5)


def test_a_shift_moves_the_picture_by_its_own_draw(pictures):
    shift = 0.25
    moved = alter(pictures, CHANCE, only(shift=shift))[:, 0, 16, 16]
    slope = (pictures[0, 0, 0, 1] - pictures[0, 0, 0, 0]).item()
    pixels = (2 * CHANCE[:, 0] - 1) * shift * 32
    torch.testing.assert_close(moved, pictures[:, 0, 16, 16] + slope * pixels)


def test_a_zoom_changes_the_slope_of_a_ramp_and_not_its_middle(pictures):
    zoomed = alter(pictures, CHANCE, only(zoom=0.3))
    middle = zoomed[:, 0, 0, 15:17].mean(dim=1)
    torch.testing.assert_close(middle, pictures[:, 0, 0, 15:17].mean(dim=1))
    slopes = (zoomed[:, 0, 0, 16] - zoomed[:, 0, 0, 15]) / (
        pictures[0, 0, 0, 1] - pictures[0, 0, 0, 0]
    )
    torch.testing.assert_close(slopes, 1 / (1 + 0.3 * (2 * CHANCE[:, 2] - 1)), rtol=1e-3, atol=0)


def test_grey_takes_the_colour_and_leaves_the_light(pictures):
    grey = alter(pictures, CHANCE, only(grey=1.0))
    assert torch.equal(grey[:, 0], grey[:, 1])
    assert torch.equal(grey[:, 0], grey[:, 2])
    white = torch.ones(6, 3, 4, 4)
    torch.testing.assert_close(alter(white, CHANCE, only(grey=1.0)), white)


def test_contrast_leaves_the_mean_and_brightness_moves_it(pictures):
    mean = pictures.mean(dim=(1, 2, 3))
    contrasted = alter(pictures, CHANCE, only(contrast=0.1)).mean(dim=(1, 2, 3))
    torch.testing.assert_close(contrasted, mean)
    brightened = alter(pictures, CHANCE, only(brightness=0.05)).mean(dim=(1, 2, 3))
    torch.testing.assert_close(brightened - mean, 0.05 * (2 * CHANCE[:, 5] - 1))


def test_a_crop_is_the_part_cut_out_by_hand(rng):
    """A quarter of the image, at its own aspect, in the corner: draws of 0 for its place."""
    pictures = torch.from_numpy(rng.random((1, 3, 16, 16), dtype=np.float32))
    draws = torch.full((1, DRAWS), 0.5)
    draws[:, 11:] = 0
    augment = only(crop_area=(0.0625, 0.4375), crop_aspect=(0.5, 2.0))
    found = alter(pictures, draws, augment)
    by_hand = F.interpolate(pictures[:, :, :8, :8], size=(16, 16), mode="bilinear")
    inside = slice(None, 15)  # at the cut a picture goes on and what was cut out does not
    torch.testing.assert_close(found[..., inside, inside], by_hand[..., inside, inside])


def test_crops_have_the_areas_and_aspects_that_were_asked_for(rng):
    """Told by the slopes of two ramps, one across and one down."""
    ramp = torch.linspace(0.1, 0.9, 8)
    pictures = torch.stack([ramp.expand(8, 8), ramp.expand(8, 8).T, torch.zeros(8, 8)])
    pictures = pictures.expand(2000, 3, 8, 8)
    draws = torch.from_numpy(rng.random((2000, DRAWS), dtype=np.float32))
    shown = alter(pictures, draws, only(crop_area=(0.2, 1.0), crop_aspect=(0.75, 1.6)))
    step = ramp[1] - ramp[0]
    width = (shown[:, 0, 4, 4] - shown[:, 0, 4, 3]) / step
    height = (shown[:, 1, 4, 4] - shown[:, 1, 3, 4]) / step
    area, aspect = (width * height).numpy(), (width / height).numpy()
    assert scipy.stats.kstest(area, scipy.stats.uniform(0.2, 0.8).cdf).pvalue > 0.01
    assert aspect.min() > 0.75 - 1e-3
    assert aspect.max() < 1.6 + 1e-3
    small = np.log(aspect[area < 0.5])  # where every aspect fits
    span = scipy.stats.uniform(math.log(0.75), math.log(1.6 / 0.75))
    assert scipy.stats.kstest(small, span.cdf).pvalue > 0.01
    assert max(width.max(), height.max()) < 1 + 1e-3


def test_a_crop_never_leaves_the_image(rng):
    """What lies beyond would show as a reflection: the ramp would turn round."""
    ramp = torch.linspace(0, 1, 16).expand(500, 3, 16, 16)
    draws = torch.from_numpy(rng.random((500, DRAWS), dtype=np.float32))
    shown = alter(ramp, draws, only(crop_area=(0.1, 1.0), crop_aspect=(0.5, 2.0)))
    assert (shown.diff(dim=3)[..., 1:-1] > 0).all()


def chroma(image):
    """Give the colour of a pixel as a complex number, by the standard library's YIQ."""
    _, i, q = colorsys.rgb_to_yiq(*image[:, 0, 0].tolist())
    return complex(i, q)


def test_a_hue_turns_all_colours_by_its_own_draw_and_leaves_the_light(pictures):
    turned = alter(pictures, CHANCE, only(hue=0.1))
    for before, after, draw in zip(pictures, turned, CHANCE[:, 8], strict=True):
        angle = np.angle(chroma(after) / chroma(before))
        assert angle == pytest.approx(2 * math.pi * 0.1 * (2 * draw.item() - 1), abs=0.03)
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    light = (turned * luma).sum(dim=1) - (pictures * luma).sum(dim=1)
    unclipped = (turned > 0).all(dim=1) & (turned < 1).all(dim=1)
    assert unclipped.float().mean() > 0.8
    assert light[unclipped].abs().max() < 1e-5


def test_a_saturation_stretches_colours_away_from_grey(pictures):
    stretched = alter(pictures, CHANCE, only(saturation=0.4))
    for before, after, draw in zip(pictures, stretched, CHANCE[:, 7], strict=True):
        expected = 1 + 0.4 * (2 * draw.item() - 1)
        assert chroma(after) / chroma(before) == pytest.approx(expected, abs=1e-4)


def test_grey_has_no_hue_to_turn():
    grey = torch.rand(6, 1, 8, 8).expand(6, 3, 8, 8)
    torch.testing.assert_close(alter(grey, CHANCE, only(hue=0.5, saturation=1.0)), grey)


def test_both_eyes_are_altered_alike(rng):
    picture = torch.from_numpy(rng.random((6, 3, 16, 16), dtype=np.float32))
    both = alter(torch.cat([picture, picture], dim=1), CHANCE, LIVELY)
    torch.testing.assert_close(both[:, :3], both[:, 3:])
    torch.testing.assert_close(both[:, :3], alter(picture, CHANCE, LIVELY))


def test_a_mirror_exchanges_the_eyes(rng):
    """What is near in front of a mirror is near in it: the sign of the disparity stays."""
    eyes = torch.from_numpy(rng.random((6, 6, 8, 8), dtype=np.float32))
    seen = alter(eyes, CHANCE, only(flip=1.0))
    torch.testing.assert_close(seen[:, :3], eyes[:, 3:].flip(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(seen[:, 3:], eyes[:, :3].flip(3), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flip": 1.5}, r"^flip is between 0 and 1, not 1.5$"),
        ({"zoom": 1}, r"^zoom is below 1: nothing can be reduced to no size$"),
        (
            {"crop_area": (0.0, 1.0)},
            r"^crop_area rises from above 0 to at most 1, not \(0.0, 1.0\)$",
        ),
        ({"crop_aspect": (1.5, 2.0)}, r"^crop_aspect holds 1, the image's own, not \(1.5, 2.0\)$"),
    ],
)
def test_an_augmentation_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        only(**changes)
