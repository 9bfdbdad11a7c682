import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from facelab_probing.graphs import ReplayError, overhear
from facelab_probing.hooks import tap

from tests.packages.probing.hidden import NETS, network, photograph


@pytest.mark.parametrize("name", NETS)
def test_the_steps_give_what_the_network_gives(name):
    net, layers = network(name)
    graph = overhear(net, layers, photograph()[None])
    images = torch.stack([photograph(seed) for seed in (4, 5)])
    maps = graph.respond(images)
    with tap(net.eval(), layers) as heard:
        net(images)
    for layer in layers:
        torch.testing.assert_close(maps[graph.layers[layer]], heard[layer])


def test_steps_between_layers_are_merged_where_nobody_listens():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Tanh(), nn.ReLU())
    image = torch.rand(1, 3, 8, 8)
    assert [step.kind for step in overhear(net, ["4"], image).steps] == ["window", "place"]
    assert len(overhear(net, ["0", "2", "4"], image).steps) == 3
    assert len(overhear(net, ["0", "1", "2", "3", "4"], image).steps) == 5
    assert len(overhear(net, ["1"], image).steps) == 1


def test_a_graph_up_to_a_layer_leaves_the_rest_out():
    net, layers = network("alexnet")
    graph = overhear(net, layers, photograph()[None])
    assert [step.name for step in graph.upto("2").steps] == ["conv2d", "relu", "max_pool2d"]
    assert graph.upto("2").layers == {"2": graph.layers["2"]}


@pytest.mark.parametrize(("layer", "count"), [("0", 1), ("2", 3), ("3", 0), ("6", 2), ("10", 0)])
def test_one_unit_is_computed_alone_where_its_convolution_is_its_own(layer, count):
    net, layers = network("alexnet")
    graph = overhear(net, layers, photograph()[None]).upto(layer)
    narrow, alone = graph.only(layer, 1)
    assert len(alone) == count
    whole = graph.respond(photograph()[None])[graph.layers[layer]]
    part = narrow.respond(photograph()[None])[graph.layers[layer]]
    torch.testing.assert_close(part, whole[:, 1:2] if alone else whole)


def test_one_unit_is_not_computed_alone_where_others_need_its_fellows():
    net, layers = network("resnet")
    graph = overhear(net, layers, photograph()[None])
    for layer in ("4", "4.norm"):  # a sum with the shortcut; a norm with a scale for each unit
        assert graph.upto(layer).only(layer, 1)[1] == set()


class Odd(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.conv, self.after, self.unused = nn.Conv2d(3, 4, 3), nn.Identity(), nn.Identity()
        self.change = change

    def forward(self, images):
        return self.after(self.change(self.conv(images)))


@pytest.mark.parametrize(
    "change",
    [
        lambda maps: maps * maps.max().item(),
        lambda maps: maps.view(1, 4, 36),
        lambda maps: F.dropout(maps, 0.5, training=True),
        lambda maps: maps + torch.from_numpy(maps.detach().numpy()),
    ],
)
def test_a_network_that_is_not_its_steps_is_refused(change):
    with pytest.raises((ReplayError, RuntimeError)):
        overhear(Odd(change), ["after"], torch.rand(1, 3, 8, 8))


def test_lists_that_grow_and_what_is_changed_in_place_are_remembered_as_they_were():
    def change(maps):
        parts = [maps]
        first = torch.cat(parts, 1)
        parts.append(F.relu(maps))
        first += torch.cat(parts, 1)[:, 4:]
        return first.relu_()

    overhear(Odd(change), ["conv", "after"], torch.rand(1, 3, 8, 8))


def test_layers_without_a_map_are_refused_in_one_line():
    net, image = Odd(torch.ones_like), torch.rand(1, 3, 8, 8)
    with pytest.raises(ValueError, match=r"^unknown layer 'x'; this network has .*$"):
        overhear(net, ["x"], image)
    with pytest.raises(ValueError, match=r"^layer 'unused' is not called; it has no .*$"):
        overhear(net, ["unused"], image)
