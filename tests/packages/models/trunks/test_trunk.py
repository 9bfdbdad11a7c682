from collections import OrderedDict

import pytest
import torch
import torch.nn as nn
from facelab_models.trunks.blocks import Block
from facelab_models.trunks.trunk import Trunk, cut, steps


@pytest.fixture
def trunk():
    inner = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), relu=nn.ReLU()))
    parts = OrderedDict(area=inner, block=Block(4, 4, 1), flat=nn.Flatten(), fc=nn.Linear(144, 2))
    layers = ("area.conv", "area.relu", "block.norm", "block.conv", "fc")
    return Trunk(net=nn.Sequential(parts).eval(), features=2, layers=layers)


def test_steps_look_into_sequences_only(trunk):
    assert list(steps(trunk.net)) == ["area.conv", "area.relu", "block", "flat", "fc"]


def test_a_network_that_is_no_sequence_is_one_step():
    block = Block(4, 4, 1)
    assert steps(block) == {"": block}


@pytest.mark.parametrize(
    ("layer", "after"),
    [
        ("area.conv", "area.conv"),
        ("area", "area.relu"),
        ("block.conv", "block"),
        ("flat", "flat"),
        ("fc", "fc"),
    ],
)
def test_the_two_parts_make_the_whole_under_the_same_names(trunk, layer, after):
    first, rest = cut(trunk, layer)
    names = list(steps(trunk.net))
    assert list(steps(first)) == names[: names.index(after) + 1]
    assert list(steps(rest)) == names[names.index(after) + 1 :]
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(rest(first(images)), trunk.net(images))


@pytest.mark.parametrize(
    ("layer", "problem"),
    [("block.norm", "cannot cut the trunk after"), ("conv9", "the trunk has no")],
)
def test_where_it_cannot_be_cut_is_refused_with_the_layers_where_it_can(trunk, layer, problem):
    able = "area.conv, area.relu, block.conv, fc"
    with pytest.raises(
        ValueError, match=f"^{problem} layer '{layer}'; it can be cut after {able}$"
    ):
        cut(trunk, layer)


def test_what_is_no_sequence_can_be_cut_at_its_end(trunk):
    block = Block(3, 4, 1).eval()
    whole = Trunk(net=block, features=4, layers=("norm", "conv"), maps=True)
    first, rest = cut(whole, "conv")
    assert first is block
    assert len(rest) == 0
    with pytest.raises(ValueError, match=r"^cannot cut the trunk after layer 'norm'.* after conv$"):
        cut(whole, "norm")
