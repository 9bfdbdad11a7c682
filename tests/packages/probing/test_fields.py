import pytest
import torch
import torch.nn as nn
from facelab_probing.fields import describe, theoretical
from facelab_probing.hooks import tap
from torchvision import models


class Branching(nn.Module):
    """A residual sum, a concatenation, a gate and a dictionary of answers."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 5, stride=2, padding=2)
        self.wide = nn.Conv2d(4, 4, 3, padding=4, dilation=4)
        self.narrow = nn.Conv2d(4, 4, 1)
        self.joined = nn.Identity()
        self.gated = nn.Identity()
        self.fc = nn.Linear(8, 2)

    def forward(self, images):
        if images.ndim != 4:
            raise ValueError("a check that no tracer could follow")
        maps = self.stem(images).relu_()
        wide = self.wide(maps) + maps
        joined = self.joined(torch.cat([wide, self.narrow(maps)], dim=1))
        gate = joined.mean(dim=(2, 3), keepdim=True)
        return {"answer": self.fc(self.gated(joined * gate).mean(dim=(2, 3)))}


def reached(net, layer, size_px, place):
    """Find the pixels on which the units at a place depend, and the smallest box around them."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    image = torch.rand(1, 3, *size_px, dtype=torch.double, requires_grad=True)
    with tap(net.double().eval(), [layer]) as outputs:
        net(image)
    output = outputs[layer]
    units = output[0, :, *place] if output.ndim == 4 else output[0]
    (gradient,) = torch.autograd.grad(units.sum(), image)
    pixels = gradient[0].abs().sum(dim=0) > 0
    rows, columns = (pixels.any(dim=1 - axis).nonzero() for axis in range(2))
    return [slice(int(axis.min()), int(axis.max()) + 1) for axis in (rows, columns)]


def averaging(net):
    """Replace maxima, which choose one pixel, by averages of the same reach."""
    for name, child in net.named_children():
        if isinstance(child, nn.MaxPool2d):
            pool = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode)
            setattr(net, name, pool)
        averaging(child)
    return net


def test_alexnet_sees_what_the_literature_says():
    layers = {"0": 11, "2": 19, "3": 51, "5": 67, "6": 99, "8": 131, "10": 163, "12": 195}
    found = theoretical(models.alexnet(weights=None).features, layers, (227, 227))
    assert {layer: field.size_px[0] for layer, field in found.items()} == layers
    strides = [field.rows.stride_px for field in found.values()]
    assert strides == [4, 8, 8, 16, 16, 16, 16, 32]
    assert found["0"].rows.offset_px == -2


def test_each_layer_of_a_branching_network():
    found = theoretical(Branching(), ["stem", "wide", "narrow", "joined", "gated", "fc"], (40, 60))
    assert found["stem"].size_px == found["narrow"].size_px == (5, 5)
    assert found["wide"].size_px == found["joined"].size_px == (21, 21)
    assert found["gated"].size_px == found["fc"].size_px == (40, 60)
    assert found["fc"].box() == (slice(0, 40), slice(0, 60))


@pytest.mark.parametrize("place", [(0, 0), (7, 9), (19, 29)])
@pytest.mark.parametrize("layer", ["stem", "wide", "narrow", "joined", "gated"])
def test_a_box_is_what_the_gradient_reaches(layer, place):
    net = Branching()
    for module in (net.wide, net.narrow, net.stem):
        nn.init.constant_(module.bias, 1.0)
    field = theoretical(net, [layer], (40, 60))[layer]
    assert list(field.box(*place)) == reached(net, layer, (40, 60), place)


NETWORKS = {
    "squeezenet1_0": ("features.2", "features.5", "features.12"),
    "squeezenet1_1": ("features.0", "features.7"),
    "resnet18": ("maxpool", "layer1.1", "layer2.0", "layer2.0.downsample.0", "layer3.0.conv1"),
    "shufflenet_v2_x0_5": ("stage2.0", "stage2.1.branch2.3", "stage2.3"),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("where", ["corner", "middle"])
def test_a_box_is_exact_in_networks_of_many_kinds(name, where):
    torch.manual_seed(0)
    net, size_px = averaging(getattr(models, name)(weights=None)), (104, 90)
    found = theoretical(net, NETWORKS[name], size_px)
    for layer, field in found.items():
        sides = (len(field.rows.low), len(field.columns.low))
        place = tuple(n // 2 if where == "middle" else n - 1 for n in sides)
        assert list(field.box(*place)) == reached(net, layer, size_px, place), layer


def test_a_layer_that_mixes_all_places_sees_all_pixels():
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.GroupNorm(1, 2), nn.Flatten(), nn.Linear(72, 1))
    found = theoretical(net, ["0", "1", "2", "3"], (8, 8))
    assert [field.size_px for field in found.values()] == [(3, 3), (8, 8), (8, 8), (8, 8)]


@pytest.mark.parametrize(("remembers", "size_px"), [(True, (3, 3)), (False, (8, 8))])
def test_batch_norm_without_memory_sees_all_pixels(remembers, size_px):
    norm = nn.BatchNorm2d(2, track_running_stats=remembers)
    assert (
        theoretical(nn.Sequential(nn.Conv2d(3, 2, 3), norm), ["1"], (8, 8))["1"].size_px == size_px
    )


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        (lambda maps: maps[:, :2], False),
        (lambda maps: maps.chunk(2, dim=1)[0], False),
        (lambda maps: maps.view(1, 2, 2, 8, 8).transpose(1, 2).reshape(1, 4, 8, 8), False),
        (lambda maps: maps.transpose(2, 3), True),
        (lambda maps: maps[:, :, torch.arange(7, -1, -1)], True),
        (lambda maps: maps.roll(3, dims=2), True),
        (lambda maps: maps.flip(3), True),
        (lambda maps: maps.permute(0, 1, 3, 2), True),
    ],
)
def test_a_place_that_may_have_moved_is_not_trusted(change, moves):
    class Changing(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.after = nn.Conv2d(3, 4, 3, padding=1), nn.Identity()

        def forward(self, images):
            return self.after(change(self.conv(images)))

    field = theoretical(Changing(), ["after"], (8, 8))["after"]
    assert field.size_px == ((8, 8) if moves else (3, 3))


def test_a_network_is_left_as_it_was():
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    before, state = net[1].running_mean.clone(), torch.get_rng_state()
    theoretical(net, ["1"], (8, 8))
    assert net.training
    assert torch.equal(net[1].running_mean, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert not net[0]._forward_hooks


def test_a_description_has_a_row_for_each_layer():
    net = nn.Sequential(nn.Conv2d(6, 2, 3, stride=2), nn.Flatten(), nn.Linear(24, 5))
    rows = describe(net, ["0", "2"], (9, 7), channels=6)
    assert rows[0] == {
        "layer": "0",
        "kind": "Conv2d",
        "shape": (2, 4, 3),
        "units": 2,
        "field_px": 3,
        "stride_px": 2,
    }
    assert (rows[1]["kind"], rows[1]["shape"], rows[1]["field_px"]) == ("Linear", (5,), 9)


def test_layers_without_a_field_are_refused_in_one_line():
    class Idle(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused, self.constant = nn.Identity(), nn.Identity()

        def forward(self, images):
            return images + self.constant(torch.ones(1))

    with pytest.raises(ValueError, match=r"^unknown layer 'conv'; this network has .*$"):
        theoretical(Idle(), ["conv"], (8, 8))
    with pytest.raises(ValueError, match=r"^layer 'unused' is not called; it has no .*$"):
        theoretical(Idle(), ["unused"], (8, 8))
    with pytest.raises(ValueError, match=r"^layer 'constant' does not depend on the image; .*$"):
        theoretical(Idle(), ["constant"], (8, 8))
