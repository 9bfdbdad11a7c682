import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn as nn
from facelab_probing.fields import theoretical
from facelab_probing.occlusion import map_all, map_units, prepare
from facelab_probing.refinement import Coarse

from tests.packages.probing.hidden import NETS, PX, brute_force, network, occluder, photograph


def ask(net, layers, how, image=None, **options):
    image = photograph() if image is None else image
    subject = prepare(net, layers, tuple(image.shape[1:]))
    return map_all(subject, image, how, rng=np.random.default_rng(0), **options)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize(
    "how",
    [
        {"filling": "noise"},
        {"filling": "mean", "reduction": "largest", "grid": "captum", "size_px": 6},
        {"filling": "patch", "reduction": "absolute", "stride_px": 7},
        {"reduction": "largest", "size_px": 20, "stride_px": 5},
        {"size_px": 1, "stride_px": 5},
    ],
)
def test_every_drop_is_that_of_brute_force(name, how):
    net, layers = network(name)
    other = photograph(1) if how.get("filling") == "patch" else None
    found = ask(net, layers, occluder(**how), other=other)
    for layer in layers:
        drops = brute_force(net, layer, photograph(), occluder(**how), other=other)
        np.testing.assert_allclose(found[layer].drops, drops, rtol=0, atol=1e-11 * np.ptp(drops))
        assert found[layer].computed == "incremental"


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("how", [{"filling": "noise"}, {"grid": "captum", "size_px": 3}])
def test_single_units_have_the_maps_they_have_among_all(name, how):
    net, layers = network(name)
    subject = prepare(net, layers, (PX, PX))
    every = ask(net, layers, occluder(**how))
    units = dict.fromkeys(layers, (2, 0))
    some = map_units(subject, photograph(), occluder(**how), units, rng=np.random.default_rng(0))
    for layer in layers:
        expected = every[layer].only((2, 0))
        scale = np.abs(every[layer].drops).max()
        np.testing.assert_allclose(some[layer].drops, expected.drops, rtol=0, atol=1e-12 * scale)
        assert np.array_equal(some[layer].places, expected.places)
        assert np.array_equal(some[layer].units, (2, 0))


@pytest.mark.parametrize("name", NETS)
def test_a_coarse_map_is_exact_where_it_is_large_and_tells_its_error(name):
    net, layers = network(name)
    subject, how = prepare(net, layers, (PX, PX)), occluder(stride_px=1, filling="noise")

    def ask_units(coarse):
        units, rng = dict.fromkeys(layers, (2, 0)), np.random.default_rng(0)
        return map_units(subject, photograph(), how, units, rng=rng, coarse=coarse)

    exact, rough = ask_units(None), ask_units(Coarse(every=3, fraction=0.5))
    for layer in layers:
        assert not exact[layer].errors.any()
        for true, drops, error in zip(
            exact[layer].drops, rough[layer].drops, rough[layer].errors, strict=True
        ):
            scale = max(np.abs(true).max(), 1e-300)
            np.testing.assert_allclose(drops[::3, ::3], true[::3, ::3], rtol=0, atol=1e-12 * scale)
            if np.abs(drops - true).max() > 1e-9 * scale:
                assert error > 0


def test_images_need_not_be_square():
    net, layers = network("resnet")
    image = photograph()[:, :, :26]
    for maps in ask(net, layers[:-1], occluder(), image).values():
        assert maps.drops.shape[1:] == (7, 5)
    drops = brute_force(net, "4", image, occluder())
    np.testing.assert_allclose(
        ask(net, ["4"], occluder(), image)["4"].drops, drops, atol=1e-11 * np.ptp(drops)
    )


@pytest.mark.parametrize("name", NETS)
def test_no_unit_is_moved_by_what_lies_outside_its_theoretical_field(name):
    net, layers = network(name)
    how = occluder(size_px=2, stride_px=3)
    fields = theoretical(net.float(), layers, (PX, PX))
    for layer, maps in ask(net.double(), layers, how).items():
        for drops, place in zip(maps.drops, maps.places, strict=True):
            down, along = fields[layer].box(*place)
            rows = (maps.rows + 2 > down.start) & (maps.rows < down.stop)
            columns = (maps.columns + 2 > along.start) & (maps.columns < along.stop)
            assert not drops[~rows].any()
            assert not drops[:, ~columns].any()


def test_a_stack_of_ones_is_moved_by_exactly_11_by_11_pixels():
    net = nn.Sequential(*(nn.Conv2d(1, 1, k, s, bias=False) for k, s in ((5, 1), (3, 2), (3, 1))))
    for layer in net:
        nn.init.ones_(layer.weight)
    image = torch.rand(1, 41, 41) + 0.5
    subject = prepare(net, ["2"], (41, 41), channels=1)
    how = occluder(size_px=1, stride_px=1)
    maps = map_units(subject, image, how, {"2": [0]}, rng=np.random.default_rng(0))["2"]
    row, column = 2 * maps.places[0]
    expected = np.zeros((41, 41), dtype=bool)
    expected[row : row + 11, column : column + 11] = True
    assert np.array_equal(maps.drops[0] != 0, expected)


def test_a_larger_occluder_smooths_the_map_of_a_linear_unit():
    net, image = nn.Conv2d(3, 2, 7, bias=False).double(), photograph()
    fine = ask(nn.Sequential(net), ["0"], occluder(size_px=1, stride_px=1))["0"].drops
    coarse = ask(nn.Sequential(net), ["0"], occluder(size_px=5, stride_px=1))["0"].drops
    windows = np.lib.stride_tricks.sliding_window_view(fine, (5, 5), axis=(1, 2))
    np.testing.assert_allclose(coarse, windows.sum((3, 4)), atol=1e-12)
    assert np.abs(coarse).max() > np.abs(fine).max()
    assert image.shape == (3, PX, PX)


def test_a_dead_unit_has_an_empty_map():
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    with torch.no_grad():
        net[0].bias.copy_(torch.tensor([-100.0, 1.0]))
    maps = ask(net, ["1"], occluder(), photograph().float())["1"]
    assert not maps.drops[0].any()
    assert maps.drops[1].any()
    assert maps.responses[0] == 0
    assert tuple(maps.places[0]) == (0, 0)


def test_a_network_that_cannot_be_followed_is_shown_every_image_and_says_so():
    class Shuffling(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.after = nn.Conv2d(3, 4, 3), nn.Identity()

        def forward(self, images):
            maps = self.conv(images)
            n, units, height, width = maps.shape
            mixed = maps.view(n, 2, units // 2, height, width).transpose(1, 2)
            return self.after(mixed.reshape(n, units, height, width))

    net = Shuffling().double()
    found = ask(net, ["conv", "after"], occluder(reduction="largest"))
    for layer, maps in found.items():
        assert maps.computed.startswith("dense: the steps cannot be replayed")
        drops = brute_force(net, layer, photograph(), occluder(reduction="largest"))
        np.testing.assert_allclose(maps.drops, drops, atol=1e-13)
    subject = prepare(net, ["after"], (PX, PX))
    rng = np.random.default_rng(0)
    one = map_units(subject, photograph(), occluder(), {"after": [1]}, rng=rng)["after"]
    np.testing.assert_allclose(
        one.drops[0], brute_force(net, "after", photograph(), occluder())[1], atol=1e-13
    )


def test_how_many_occluders_go_together_does_not_matter(monkeypatch):
    net, layers = network("resnet")
    before = ask(net, layers, occluder(filling="noise"))
    monkeypatch.setattr("facelab_probing.sweeps.GROUP", 2)
    monkeypatch.setattr("facelab_probing.sweeps.BUDGET", 700)
    after = ask(net, layers, occluder(filling="noise"))
    for layer in layers:
        np.testing.assert_allclose(after[layer].drops, before[layer].drops, atol=1e-12)


def test_a_network_is_left_as_it_was():
    net, layers = network("resnet")
    weights = {name: values.clone() for name, values in net.state_dict().items()}
    ask(net, layers, occluder())
    assert all(module.training for module in net.modules())
    assert all(torch.equal(values, weights[name]) for name, values in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())
    assert all(p.requires_grad and p.grad is None for p in net.parameters())
    assert torch.is_grad_enabled()


def test_what_cannot_be_asked_is_refused_in_one_line():
    net, layers = network("alexnet")
    subject, rng = prepare(net, layers, (PX, PX)), np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"^unknown layer 'conv'; this network has .*$"):
        prepare(net, ["conv"], (PX, PX))
    with pytest.raises(ValueError, match=r"^single units are mapped 'at_maximum', not 'largest'"):
        map_units(subject, photograph(), occluder(reduction="largest"), {"0": [0]}, rng=rng)
    with pytest.raises(ValueError, match=r"^layer '1' is not prepared; choose from 0, 2, 3, .*$"):
        map_units(subject, photograph(), occluder(), {"1": [0]}, rng=rng)


def captum_by_definition(net, unit, size, stride):
    """Average f(image) − f(occluded) over the windows that cover a pixel; edges cut windows off."""
    image = photograph()
    sums, counts = np.zeros((PX, PX)), np.zeros((PX, PX))
    starts = range(0, (math.ceil((PX - size) / stride) + 1) * stride, stride)
    for row, column in itertools.product(starts, starts):
        part = np.s_[row : row + size, column : column + size]
        hidden = image.clone()
        hidden[:, *part] = 0
        with torch.no_grad():
            bare, occluded = net(torch.stack([image, hidden]))[:, unit]
        sums[part] += float(bare - occluded)
        counts[part] += 1
    return sums / counts.clip(1)


@pytest.mark.parametrize(("size", "stride"), [(6, 4), (7, 7), (6, 6), (10, 3)])
def test_a_map_is_what_captum_defines(size, stride):
    net, _ = network("alexnet")
    net.eval()
    painted = ask(net, ["10"], occluder(grid="captum", size_px=size, stride_px=stride))["10"]
    expected = captum_by_definition(net, 1, size, stride)
    np.testing.assert_allclose(painted.painted((PX, PX))[1], expected, atol=1e-12)
    assert np.abs(expected).max() > 1e-6


@pytest.mark.parametrize(("size", "stride"), [(6, 4), (7, 7), (6, 6), (10, 3)])
def test_a_map_agrees_with_captum(size, stride):
    """Where windows lie side by side, each pixel shows the drop of one occluder alone."""
    captum = pytest.importorskip("captum.attr")
    net, _ = network("alexnet")
    net.eval()
    maps = ask(net, ["10"], occluder(grid="captum", size_px=size, stride_px=stride))["10"]
    window, strides = (3, size, size), (3, stride, stride)
    theirs = captum.Occlusion(net).attribute(photograph()[None], window, strides, target=1)
    theirs = theirs[0, 0].detach().numpy()
    np.testing.assert_allclose(maps.painted((PX, PX))[1], theirs, atol=1e-12)
    if size == stride:
        np.testing.assert_allclose(maps.drops[1], theirs[::size, ::size], atol=1e-12)
