import numpy as np
import pytest
import torch
from facelab_models.batches import Augment, alter

from tests.packages.models.conftest import LIVELY, STILL

DRAWS = torch.rand(6, 7, generator=torch.Generator().manual_seed(1))


def only(**changes):
    return Augment(**{**vars(STILL), **changes})


@pytest.fixture
def pictures():
    """Smooth pictures, whose pixels move little when resampled."""
    across = torch.linspace(0.1, 0.9, 32)
    ramp = across.view(1, 1, 1, 32) * torch.tensor([0.9, 0.5, 0.7]).view(1, 3, 1, 1)
    return ramp.expand(6, 3, 32, 32).clone()


def test_every_image_is_dealt_once_per_epoch_with_its_own_targets(batches, images, labels):
    dealer = batches(images, identity=np.arange(22), pose=labels["pose"])
    dealt = [(targets["identity"], targets["pose"], shown) for shown, targets in dealer(3)]
    order = torch.cat([ids for ids, _, _ in dealt])
    assert sorted(order.tolist()) == list(range(22))
    assert order.tolist() != list(range(22))
    shown = torch.cat([shown for _, _, shown in dealt]).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(shown * 255, images[order], atol=1e-4)
    poses = torch.cat([pose for _, pose, _ in dealt]).numpy()
    np.testing.assert_allclose(poses, labels["pose"][order], rtol=1e-6)


def test_an_epoch_is_the_same_whenever_it_is_asked_for(batches, images):
    dealer = batches(images, augment=LIVELY, identity=np.arange(22))
    list(dealer(0))
    for (first, one), (second, other) in zip(dealer(1), dealer(1), strict=True):
        assert torch.equal(first, second)
        assert torch.equal(one["identity"], other["identity"])


def test_every_image_is_altered_by_its_own_draw(batches):
    same = np.full((22, 8, 8, 3), 128, dtype=np.uint8)
    dealer = batches(same, augment=only(brightness=0.2))
    shades = torch.cat([shown.mean(dim=(1, 2, 3)) for shown, _ in dealer(0)])
    assert len(shades.unique()) == 22


@pytest.mark.parametrize(("epoch", "seed"), [(1, 0), (0, 1)])
def test_another_epoch_or_seed_is_another_order(batches, images, epoch, seed):
    def order(epoch, seed):
        dealer = batches(images, seed=seed, identity=np.arange(22))
        return torch.cat([targets["identity"] for _, targets in dealer(epoch)]).tolist()

    assert order(0, 0) != order(epoch, seed)


def test_evaluation_deals_in_order_and_unaltered(batches, images):
    dealer = batches(images, augment=LIVELY, identity=np.arange(22))
    assert torch.cat([targets["identity"] for _, targets in dealer]).tolist() == list(range(22))
    shown = torch.cat([shown for shown, _ in dealer])
    assert torch.equal(shown, torch.from_numpy(images).permute(0, 3, 1, 2) / 255)


def test_batches_differ_by_one_image_at_most(batches, images):
    sizes = [len(shown) for shown, _ in batches(images, batch_size=7)(0)]
    assert sum(sizes) == 22
    assert len(sizes) == 4
    assert max(sizes) - min(sizes) == 1


def test_images_arrive_as_floats_channels_last(batches, images):
    for augment in (STILL, LIVELY):
        shown, _ = next(batches(images, augment=augment)(0))
        assert shown.dtype == torch.float32
        assert shown.is_contiguous(memory_format=torch.channels_last)
        assert 0 <= shown.min() <= shown.max() <= 1


def test_augmentation_off_is_no_change_at_all(pictures):
    assert alter(pictures, DRAWS, STILL) is pictures


def test_a_flip_mirrors_left_and_right(pictures):
    flipped = alter(pictures, DRAWS, only(flip=1.0))
    torch.testing.assert_close(flipped, pictures.flip(3), rtol=0, atol=1e-5)


def test_a_flip_happens_as_often_as_asked(pictures):
    flipped = alter(pictures, DRAWS, only(flip=0.5))[:, 0, 0, 0] > 0.5
    assert torch.equal(flipped, DRAWS[:, 3] < 0.5)


def test_a_shift_moves_the_picture_by_its_own_draw(pictures):
    shift = 0.25
    moved = alter(pictures, DRAWS, only(shift=shift))[:, 0, 16, 16]
    slope = (pictures[0, 0, 0, 1] - pictures[0, 0, 0, 0]).item()
    pixels = (2 * DRAWS[:, 0] - 1) * shift * 32
    torch.testing.assert_close(moved, pictures[:, 0, 16, 16] + slope * pixels)


def test_a_zoom_changes_the_slope_of_a_ramp_and_not_its_middle(pictures):
    zoomed = alter(pictures, DRAWS, only(zoom=0.3))
    middle = zoomed[:, 0, 0, 15:17].mean(dim=1)
    torch.testing.assert_close(middle, pictures[:, 0, 0, 15:17].mean(dim=1))
    slopes = (zoomed[:, 0, 0, 16] - zoomed[:, 0, 0, 15]) / (
        pictures[0, 0, 0, 1] - pictures[0, 0, 0, 0]
    )
    torch.testing.assert_close(slopes, 1 / (1 + 0.3 * (2 * DRAWS[:, 2] - 1)), rtol=1e-3, atol=0)


def test_grey_takes_the_colour_and_leaves_the_light(pictures):
    grey = alter(pictures, DRAWS, only(grey=1.0))
    assert torch.equal(grey[:, 0], grey[:, 1])
    assert torch.equal(grey[:, 0], grey[:, 2])
    white = torch.ones(6, 3, 4, 4)
    torch.testing.assert_close(alter(white, DRAWS, only(grey=1.0)), white)


def test_contrast_leaves_the_mean_and_brightness_moves_it(pictures):
    mean = pictures.mean(dim=(1, 2, 3))
    contrasted = alter(pictures, DRAWS, only(contrast=0.1)).mean(dim=(1, 2, 3))
    torch.testing.assert_close(contrasted, mean)
    brightened = alter(pictures, DRAWS, only(brightness=0.05)).mean(dim=(1, 2, 3))
    torch.testing.assert_close(brightened - mean, 0.05 * (2 * DRAWS[:, 5] - 1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"images": np.zeros((22, 32, 32, 3))},
            r"^images are \(N, H, W, 3\) uint8, not .*float64$",
        ),
        ({"batch_size": 0}, r"^batch_size is 1 or more, not 0$"),
        ({"identity": np.arange(21)}, r"^21 targets of 'identity' for 22 images$"),
    ],
)
def test_images_and_targets_that_do_not_fit_are_refused(batches, images, changes, message):
    with pytest.raises(ValueError, match=message):
        batches(**{"images": images, "identity": np.arange(22), **changes})


def test_an_augmentation_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"^flip is between 0 and 1, not 1.5$"):
        only(flip=1.5)
    with pytest.raises(ValueError, match=r"^zoom is below 1: .*$"):
        only(zoom=1)
