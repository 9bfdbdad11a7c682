import pytest
import torch
from facelab_models.trunks.binocular import BINOCULAR


@pytest.mark.parametrize("joined", [0, 1, 2])
def test_eyes_are_side_by_side_after_their_stage(joined):
    trunk = BINOCULAR[f"resnet6_thin_binocular{joined}"]()
    sizes, maps = {}, torch.rand(2, 6, 64, 64)
    for name, child in trunk.net.named_children():
        maps = child(maps)
        sizes[name] = maps.shape[1]
    blocks = [sizes[f"block{place}"] for place in range(1, 5)]
    assert sizes["conv1"] == 32
    assert blocks == {0: [32, 32, 64, 64], 1: [64, 64, 64, 64], 2: [64, 64, 128, 128]}[joined]
    assert maps.shape == (2, trunk.features)
    assert trunk.eyes == 2


def test_changing_eyes_changes_sides_up_to_the_joint():
    trunk = BINOCULAR["resnet6_thin_binocular1"]()
    before = trunk.net.eval()[:4]
    images = torch.rand(2, 6, 32, 32)
    turned = torch.cat([images[:, 3:], images[:, :3]], dim=1)
    left, right = before(images).chunk(2, dim=1)
    torch.testing.assert_close(before(turned), torch.cat([right, left], dim=1))
    assert not torch.allclose(trunk.net(turned), trunk.net(images))


def test_batch_norm_keeps_one_account_for_both_eyes():
    trunk = BINOCULAR["resnet6_thin_binocular2"]()
    trunk.net(torch.rand(2, 6, 32, 32))
    assert trunk.net.block1.one.norm.num_batches_tracked == 1
    assert trunk.layers == ("conv1", "block1", "block2", "block3", "block4", "pool")
