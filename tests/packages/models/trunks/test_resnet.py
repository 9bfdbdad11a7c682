import pytest
import torch
import torch.nn as nn
from facelab_models.trunks.resnet import RESNETS
from torchvision import models


def maps(trunk, images):
    """List the output of every child of a trunk, by name."""
    outputs = {}
    for name, child in trunk.named_children():
        outputs[name] = images = child(images)
    return outputs


def linear(module):
    """Replace what hides a gradient (ReLU, max) by the linear map of the same reach."""
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU):
            setattr(module, name, nn.Identity())
        elif isinstance(child, nn.MaxPool2d):
            setattr(module, name, nn.AvgPool2d(3, stride=2, padding=1))
        else:
            linear(child)
    return module.double().eval()


def test_resnet6_halves_the_map_three_times():
    outputs = maps(RESNETS["resnet6"]().net, torch.rand(2, 3, 112, 112))
    sizes = {name: tuple(out.shape[1:]) for name, out in outputs.items()}
    assert sizes["conv1"] == (64, 56, 56)
    assert sizes["maxpool"] == (64, 28, 28)
    assert sizes["block1"] == sizes["block2"] == (128, 28, 28)
    assert sizes["block3"] == sizes["block4"] == (256, 14, 14)
    assert sizes["pool"] == (256,)


@pytest.mark.parametrize(
    ("layer", "pixels"),
    [("conv1", 7), ("block1", 19), ("block2", 27), ("block3", 35), ("block4", 51)],
)
@pytest.mark.parametrize("name", ["resnet6", "resnet6_thin"])
def test_a_unit_sees_as_far_as_arithmetic_says(name, layer, pixels):
    torch.manual_seed(0)
    images = torch.rand(1, 3, 112, 112, dtype=torch.double, requires_grad=True)
    out = maps(linear(RESNETS[name]().net), images)[layer]
    middle = out.shape[-1] // 2
    out[0, :, middle, middle].sum().backward()
    seen = images.grad[0].abs().amax(dim=0) > 1e-12
    assert seen.any(dim=0).sum() == seen.any(dim=1).sum() == pixels


@pytest.mark.parametrize("name", ["resnet6", "resnet10", "resnet18", "resnet34", "resnet50"])
def test_the_number_in_the_name_counts_the_layers_with_the_head(name):
    convolutions = [
        module
        for path, module in RESNETS[name]().net.named_modules()
        if isinstance(module, nn.Conv2d) and not path.endswith("shortcut")
    ]
    assert len(convolutions) + 1 == int(name.removeprefix("resnet"))


@pytest.mark.parametrize("name", RESNETS)
def test_every_layer_can_be_found_and_the_features_counted(name):
    trunk = RESNETS[name]()
    for layer in trunk.layers:
        trunk.net.get_submodule(layer)
    assert trunk.net(torch.rand(2, 3, 64, 64)).shape == (2, trunk.features)


def test_resnet10_has_two_blocks_of_each_width():
    outputs = maps(RESNETS["resnet10"]().net, torch.rand(2, 3, 64, 64))
    units = [out.shape[1] for name, out in outputs.items() if name.startswith("block")]
    assert units == [64, 64, 128, 128, 256, 256, 512, 512]


def test_weights_are_drawn_as_he_et_al():
    torch.manual_seed(0)
    weight = RESNETS["resnet6"]().net.block4.conv.weight
    assert weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)


def test_batch_statistics_move_by_a_tenth():
    norms = [m for m in RESNETS["resnet6"]().net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {norm.momentum for norm in norms} == {0.1}


@pytest.mark.parametrize(
    ("name", "oracle"),
    [("resnet18", models.resnet18), ("resnet34", models.resnet34), ("resnet50", models.resnet50)],
)
def test_deeper_networks_have_the_convolutions_of_the_published(name, oracle):
    """Pre-activation moves batch norm and ReLU, and nothing else."""

    def kernels(net):
        return sorted(
            (m.in_channels, m.out_channels, m.kernel_size, m.stride)
            for m in net.modules()
            if isinstance(m, nn.Conv2d)
        )

    assert kernels(RESNETS[name]().net) == kernels(oracle(weights=None))


def test_a_thin_network_has_a_quarter_of_the_units():
    wide, narrow = (RESNETS[name]() for name in ("resnet18", "resnet18_thin"))
    assert wide.layers == narrow.layers
    assert wide.features == 4 * narrow.features
