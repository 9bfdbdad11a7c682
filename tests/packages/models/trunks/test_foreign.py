import sys
from itertools import count

import pytest
import torch
import torch.nn as nn
from facelab_models.trunks.foreign import foreign, runs_code

SOURCE = """
import torch
import torch.nn as nn

class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.second, self.first = nn.Conv2d(4, 5, 3), nn.Conv2d(3, 4, 3)
        self.norm, self.drop = nn.BatchNorm2d(4), nn.Dropout()
        self.again, self.idle = nn.Conv2d(5, 5, 1), nn.Linear(2, 2)

    def forward(self, images):
        maps = self.second(self.drop(self.norm(self.first(images))))
        return self.again(self.again(maps))

def maps():
    return Own()

def features():
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())

def tokens():
    return nn.Flatten(2)

def several():
    return nn.MultiheadAttention(4, 1)

def number():
    return 3

def broken():
    raise RuntimeError("no luck\\nat all")
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module of networks into the current folder; give its name."""
    name = f"nets_{next(COUNT)}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    yield name
    sys.modules.pop(name, None)


COUNT = count()


def test_a_users_network_is_found_in_the_current_folder(module):
    trunk = foreign(f"{module}:features")
    assert (trunk.features, trunk.maps, trunk.layers) == (6, False, ("0",))
    assert trunk.net(torch.rand(2, 3, 16, 16)).shape == (2, 6)


def test_layers_come_in_the_order_they_are_called_and_once(module):
    trunk = foreign(f"{module}:maps")
    assert (trunk.features, trunk.maps, trunk.layers) == (5, True, ("first", "second"))


def test_looking_at_a_network_leaves_no_trace(module):
    before, path = torch.get_rng_state(), list(sys.path)
    net = foreign(f"{module}:maps").net
    torch.manual_seed(0)
    assert net.training
    assert net.norm.num_batches_tracked == 0
    assert not any(m._forward_pre_hooks for m in net.modules())
    assert sys.path == path
    torch.set_rng_state(before)
    alone = foreign(f"{module}:features").net  # draws its own weights and no more
    after = torch.get_rng_state()
    torch.set_rng_state(before)
    again = sys.modules[module].features()
    assert torch.equal(alone[0].weight, again[0].weight)
    assert torch.equal(torch.get_rng_state(), after)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("nothing", "'{}' has no function 'nothing'; it has Own, maps, features, .*"),
        ("number", r"{}:number\(\) gives a int, no torch.nn.Module"),
        ("broken", r"{}:broken\(\) failed: RuntimeError: no luck"),
        ("tokens", r"trunk '{}:tokens' turns 1 image into \(1, 3, 4096\); a trunk gives .*"),
        ("several", "trunk '{}:several' takes no images .* 64 px: TypeError: .*; 224 px: .*"),
    ],
)
def test_what_is_no_trunk_is_refused_in_one_line(module, function, message):
    with pytest.raises(ValueError, match=f"^{message.format(module)}$") as caught:
        foreign(f"{module}:{function}")
    assert "\n" not in str(caught.value)


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"^cannot import 'no_such_nets' for a trunk: Module.*$"):
        foreign("no_such_nets:make")


@pytest.mark.parametrize(
    ("name", "features", "head"),
    [
        ("resnet18", 512, "fc"),
        ("mobilenet_v3_small", 1024, "classifier.3"),
        ("shufflenet_v2_x0_5", 1024, "fc"),
        ("googlenet", 1024, "fc"),
    ],
)
def test_a_classifier_of_torchvision_loses_its_last_layer(name, features, head):
    trunk = foreign(f"torchvision:{name}")
    assert (trunk.features, trunk.head, trunk.layers[-1]) == (features, head, head)
    assert isinstance(trunk.net.get_submodule(head), nn.Identity)
    assert trunk.net(torch.rand(2, 3, 64, 64)).shape == (2, features)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet19", r"^torchvision has no classifier 'resnet19'; choose from alexnet, .*$"),
        ("squeezenet1_1", r"^torchvision's squeezenet1_1 has no last .*; use the trunk .*$"),
    ],
)
def test_what_torchvision_lacks_is_refused_in_one_line(name, message):
    with pytest.raises(ValueError, match=message):
        foreign(f"torchvision:{name}")


def test_only_a_users_own_function_runs_code():
    assert runs_code("my_nets:small")
    assert not runs_code("torchvision:resnet18")
    assert not runs_code("resnet6")
