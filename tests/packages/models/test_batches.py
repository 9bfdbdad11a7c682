import numpy as np
import pytest
import torch
from facelab_models import distributed

from tests.packages.models.conftest import LIVELY, STILL, only


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


def test_two_eyes_are_dealt_as_six_channels(batches, rng):
    images = rng.integers(256, size=(5, 8, 8, 6), dtype=np.uint8)
    shown, _ = next(iter(batches(images)))
    np.testing.assert_allclose(shown.permute(0, 2, 3, 1) * 255, images, atol=1e-4)


def test_processes_share_the_batches_that_one_process_would_see(batches, images, monkeypatch):
    """Three processes, batches of 11: their parts put together are the whole, in order."""
    dealer = batches(images, augment=LIVELY, batch_size=11, identity=np.arange(22))
    alone = list(dealer(4))
    monkeypatch.setattr(distributed, "size", lambda: 3)
    parts = []
    for rank in range(3):
        monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
        parts.append(list(dealer(4)))
    for (whole, labels), *shares in zip(alone, *parts, strict=True):
        assert [len(shown) for shown, _ in shares] == [4, 4, 3]
        assert torch.equal(
            torch.cat([found["identity"] for _, found in shares]), labels["identity"]
        )
        torch.testing.assert_close(torch.cat([shown for shown, _ in shares]), whole)


def test_a_batch_too_small_to_be_shared_is_refused(batches, images, monkeypatch):
    monkeypatch.setattr(distributed, "size", lambda: 9)
    with pytest.raises(ValueError, match=r"^a batch of 8 images cannot be shared by 9 processes$"):
        next(batches(images)(0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"images": np.zeros((22, 32, 32, 3))},
            r"^images are \(N, H, W, 3\) uint8, not .*float64$",
        ),
        ({"images": np.zeros((22, 8, 8, 4), np.uint8)}, r"^images have 3 channels, or 6 .*not 4$"),
        ({"batch_size": 0}, r"^batch_size is 1 or more, not 0$"),
        ({"identity": np.arange(21)}, r"^21 targets of 'identity' for 22 images$"),
    ],
)
def test_images_and_targets_that_do_not_fit_are_refused(batches, images, changes, message):
    with pytest.raises(ValueError, match=message):
        batches(**{"images": images, "identity": np.arange(22), **changes})
