import numpy as np
import pytest
import torch
from facelab_models.network import NetworkSpec, Normalise, build, layer_names
from facelab_models.tasks import TaskSpec

IDENTITY = TaskSpec(kind="categorical", outputs=4, weight=1.0)


def spec(**changes):
    values = {
        "trunk": "resnet6_thin",
        "tasks": {"identity": IDENTITY},
        "mean": (0.4, 0.5, 0.6),
        "std": (0.1, 0.2, 0.3),
    }
    return NetworkSpec(**{**values, **changes})


def test_one_head_per_task(net):
    answers = net(torch.rand(5, 3, 32, 32))
    assert {task: tuple(out.shape) for task, out in answers.items()} == {
        "identity": (5, 4),
        "pose": (5, 2),
    }


def test_normalisation_is_the_networks_own_first_layer():
    net = build(spec(), seed=0).eval()
    images = torch.rand(2, 3, 32, 32)
    mean, std = torch.tensor(net.spec.mean), torch.tensor(net.spec.std)
    by_hand = (images - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    plain = build(spec(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)), seed=0).eval()
    torch.testing.assert_close(net(images)["identity"], plain(by_hand)["identity"])


def test_bytes_over_255_are_all_it_needs():
    pixels = np.full((1, 3, 8, 8), 51, dtype=np.uint8)
    out = Normalise((0.2, 0.2, 0.2), (1.0, 1.0, 1.0))(torch.from_numpy(pixels) / 255)
    torch.testing.assert_close(out, torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize(
    "images", [torch.zeros(1, 3, 32, 32, dtype=torch.uint8), torch.rand(1, 1, 32, 32)]
)
def test_images_of_another_kind_are_refused_in_one_line(net, images):
    with pytest.raises(ValueError, match=r"^images are .*$"):
        net(images)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(network):
    first, again, other = (network(seed, identity=IDENTITY) for seed in (3, 3, 4))
    assert torch.equal(first.trunk.conv1.weight, again.trunk.conv1.weight)
    assert not torch.equal(first.trunk.conv1.weight, other.trunk.conv1.weight)


def test_building_leaves_the_random_state_alone(network):
    before = torch.get_rng_state()
    network(identity=IDENTITY)
    assert torch.equal(before, torch.get_rng_state())


def test_layers_are_named_from_the_pixels_to_the_heads(net):
    assert layer_names(net) == (
        "normalise",
        "trunk.conv1",
        "trunk.block1.conv",
        "trunk.block2.conv",
        "trunk.block3.conv",
        "trunk.block4.conv",
        "trunk.pool",
        "heads.identity",
        "heads.pose",
    )
    for name in layer_names(net):
        net.get_submodule(name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trunk": "resnet7"}, r"^unknown trunk 'resnet7'; choose from resnet6, .*$"),
        ({"tasks": {}}, r"^a network needs at least one task$"),
        ({"tasks": {"a.b": IDENTITY}}, r"^task 'a.b' is no name for a head.*$"),
        ({"tasks": {"keys": IDENTITY}}, r"^task 'keys' is no name for a head.*$"),
        ({"std": (1.0, 1.0, 0.0)}, r"^std is above 0 for each colour, not .*$"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(changes, message):
    with pytest.raises(ValueError, match=message):
        build(spec(**changes), seed=0)
