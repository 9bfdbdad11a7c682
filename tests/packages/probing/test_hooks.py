import pytest
import torch
import torch.nn as nn
from facelab_probing.hooks import edit, find, tap


@pytest.fixture
def net():
    return nn.Sequential(nn.Identity(), nn.ReLU(inplace=True))


class Twice(nn.Module):
    """One module, called twice."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Identity()

    def forward(self, images):
        return self.shared(self.shared(images) + 1)


class Tabular(nn.Module):
    """A network with an answer per task."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Identity()

    def forward(self, images):
        return {"identity": self.trunk(images)}


def hooks(net):
    return [
        hook
        for module in net.modules()
        for hook in (*module._forward_hooks, *module._forward_pre_hooks)
    ]


def test_tap_is_not_fooled_by_an_in_place_layer(net):
    with tap(net, ["0"]) as outputs:
        net(torch.tensor([-1.0]))
    assert outputs["0"] == -1


def test_tap_keeps_the_latest_pass(net):
    with tap(net, ["1"]) as outputs:
        net(torch.tensor([1.0]))
        net(torch.tensor([2.0]))
    assert outputs["1"] == 2


def test_tap_lets_gradients_through():
    images = torch.ones(3, requires_grad=True)
    net = nn.Sequential(nn.Identity(), nn.Flatten(0))
    with tap(net, ["0"]) as outputs:
        net(images)
    (2 * outputs["0"]).sum().backward()
    assert images.grad.tolist() == [2, 2, 2]


def test_edit_replaces_the_output(net):
    with edit(net, "0", torch.zeros_like):
        assert net(torch.ones(1)) == 0
    assert net(torch.ones(1)) == 1


def test_an_edit_that_returns_nothing_changes_nothing(net):
    with edit(net, "0", lambda output: None):
        assert net(torch.ones(1)) == 1


def test_tap_hears_what_an_edit_made(net):
    with edit(net, "0", torch.zeros_like), tap(net, ["0"]) as outputs:
        net(torch.ones(1))
    assert outputs["0"] == 0


def test_a_module_called_twice_is_reported_and_called_once_per_pass_is_not():
    net = Twice()
    with pytest.raises(ValueError, match="'shared' is called more than once"), tap(net, ["shared"]):
        net(torch.ones(1))
    with tap(net, [""]) as outputs:
        net(torch.ones(1))
        net(torch.ones(1))
    assert outputs[""] == 2


def test_hooks_are_gone_after_an_error(net):
    with pytest.raises(RuntimeError), tap(net, ["0", "1"]), edit(net, "0", torch.zeros_like):
        raise RuntimeError
    assert not hooks(net)


def test_hooks_are_gone_when_a_later_layer_is_unknown(net):
    said = "unknown layer '7'; this network has 0, 1$"
    with pytest.raises(ValueError, match=said), tap(net, ["0", "7"]):
        pass
    assert not hooks(net)


def test_a_long_list_of_layers_is_shortened_to_the_near_ones():
    net = nn.Sequential(*(nn.Identity() for _ in range(40)))
    net.add_module("pool", nn.Identity())
    with pytest.raises(ValueError, match=r"pool .*\(41 layers\)") as error:
        find(net, "poll")
    assert "\n" not in str(error.value) and len(str(error.value)) < 120


def test_an_output_that_is_no_tensor_is_refused_by_name():
    net = Tabular()
    with pytest.raises(ValueError, match="layer '' returns a dict, not a tensor"), tap(net, [""]):
        net(torch.ones(1))
    with tap(net, ["trunk"]) as outputs:
        net(torch.ones(1))
    assert outputs["trunk"] == 1
