from functools import partial

import pytest
import torch
import torch.nn as nn
from facelab_models.trunks.recurrent import RECURRENT, recurrent


def areas(net, images):
    """List the answer of every area at every time."""
    answers, hooks = {}, []
    for name, module in net.named_modules():
        if isinstance(module, nn.Sequential):
            keep = partial(lambda name, _, __, output: answers.update({name: output}), name)
            hooks.append(module.register_forward_hook(keep))
    net(images)
    for hook in hooks:
        hook.remove()
    return answers


@pytest.fixture
def net():
    torch.manual_seed(0)
    return recurrent((4, 6, 8), times=3).net.eval()


def test_an_area_answers_as_the_formula_says(net):
    images = torch.rand(2, 3, 32, 32)
    found = areas(net, images)
    with torch.no_grad():
        below = net.shrink(found["t2.area1"])
        above = nn.functional.interpolate(net.down[1](found["t1.area3"]), size=(8, 8))
        drive = net.up[1](below) * (1 + torch.tanh(found["t1.area2"] + above))
        torch.testing.assert_close(found["t2.area2"], net.t2.area2(drive))


def test_the_first_answer_comes_from_below_only(net):
    images = torch.rand(2, 3, 32, 32)
    before = areas(net, images)
    for down in net.down:
        nn.init.zeros_(down.weight)
    after = areas(net, images)
    for name, answer in before.items():
        assert torch.equal(answer, after[name]) == name.startswith("t1")


def test_its_answers_change_with_time(net):
    found = areas(net, torch.rand(2, 3, 32, 32))
    assert not torch.allclose(found["t1.area1"], found["t2.area1"])


def test_five_times_four_areas():
    trunk = RECURRENT["blt"]()
    assert len(trunk.layers) == 21
    assert trunk.layers[:5] == ("t1.area1", "t1.area2", "t1.area3", "t1.area4", "t2.area1")
    units = [trunk.net.get_submodule(f"t5.area{place}")[0].num_features for place in range(1, 5)]
    assert units == [32, 64, 128, 256]


def test_an_untrained_network_stays_in_bounds():
    assert RECURRENT["blt_thin"]().net.eval()(torch.rand(1, 3, 112, 112)).abs().max() < 1e4
