import pytest
import torch
import torch.nn as nn
from facelab_models.trunks.blocks import Block, Both, GlobalPool, bottleneck, draw_weights, pair


def kernels(block):
    return [
        (m.kernel_size[0], m.in_channels, m.out_channels, m.stride[0])
        for name, m in block.named_children()
        if name.startswith("conv")
    ]


def test_a_block_without_its_convolution_passes_the_input_on():
    block, images = Block(8, 8, 1).eval(), torch.rand(2, 8, 5, 5)
    nn.init.zeros_(block.conv.weight)
    assert torch.equal(block(images), images)


@pytest.mark.parametrize("make", [pair, bottleneck])
def test_a_deep_block_without_its_last_convolution_passes_the_input_on(make):
    block, images = make(8, 8, 1).eval(), torch.rand(2, 8, 5, 5)
    nn.init.zeros_(list(block.children())[-2].weight)
    assert torch.equal(block(images), images)


def test_a_block_keeps_all_its_convolutions():
    assert kernels(pair(64, 128, 2)) == [(3, 64, 128, 2), (3, 128, 128, 1)]
    assert kernels(bottleneck(64, 256, 1)) == [(1, 64, 64, 1), (3, 64, 64, 1), (1, 64, 256, 1)]
    assert kernels(bottleneck(256, 512, 2)) == [
        (1, 256, 128, 1),
        (3, 128, 128, 2),
        (1, 128, 512, 1),
    ]


@pytest.mark.parametrize("make", [Block, pair, bottleneck])
def test_a_block_that_changes_size_changes_its_input_too(make):
    block, images = make(8, 16, 2), torch.rand(2, 8, 7, 7)
    assert block(images).shape == (2, 16, 4, 4)
    assert isinstance(make(8, 8, 1).shortcut, nn.Identity)


def test_a_deep_block_is_the_convolutions_and_the_input():
    block, images = pair(4, 4, 1).eval(), torch.randn(2, 4, 6, 6)
    inner = block.conv1(block.norm1(images).relu())
    by_hand = block.conv2(block.norm2(inner).relu()) + images
    torch.testing.assert_close(block(images), by_hand)


def test_both_eyes_pass_through_the_same_weights():
    conv = nn.Conv2d(3, 4, 3)
    left, right = torch.rand(2, 3, 6, 6), torch.rand(2, 3, 6, 6)
    seen = Both(conv)(torch.cat([left, right], dim=1))
    torch.testing.assert_close(seen[:, :4], conv(left))
    torch.testing.assert_close(seen[:, 4:], conv(right))


def test_the_average_over_space():
    maps = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(GlobalPool()(maps), maps.flatten(2).mean(dim=2))


def test_weights_are_drawn_as_he_et_al():
    torch.manual_seed(0)
    conv = nn.Conv2d(256, 256, 3)
    draw_weights(nn.Sequential(conv))
    assert conv.weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)
    assert not conv.bias.any()
