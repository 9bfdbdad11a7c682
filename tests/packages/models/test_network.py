from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.fx
import torch.nn as nn
from facelab_models import checkpoints
from facelab_models.network import TRUNKS, NetworkSpec, Normalise, build, layer_names
from facelab_models.tasks import TaskSpec

IDENTITY = TaskSpec(kind="categorical", outputs=4, weight=1.0)
POSE = TaskSpec(kind="continuous", outputs=2, weight=1.0, mean=(0.0, 0.0), sd=(1.0, 1.0))
BOTH = {"identity": IDENTITY, "pose": POSE}
SEVERAL = [name for name in TRUNKS if "thin" in name or name.startswith("squeezenet")]


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
        ({"trunk": "torchvision:resnet7"}, r"^torchvision has no classifier 'resnet7'; .*$"),
        ({"branch": "block9"}, r"^the trunk has no layer 'block9'; it can be cut after conv1, .*$"),
        ({"size_px": -1}, r"^size_px is 0 or more, not -1$"),
        ({"std": (1.0, 1.0, 0.0)}, r"^std is above 0 for each colour, not .*$"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(changes, message):
    with pytest.raises(ValueError, match=message):
        build(spec(**changes), seed=0)


def answer(net, images):
    with torch.no_grad():
        return net(images)


@pytest.fixture(scope="module", params=SEVERAL)
def trained(request):
    """Give one network of each kind after a step in training mode, and images for it."""
    net = build(spec(trunk=request.param, tasks=BOTH), seed=5)
    torch.manual_seed(0)
    images = torch.rand(3, 6 if "binocular" in request.param else 3, 64, 64)
    sum(out.square().sum() for out in net(images).values()).backward()
    return net, images


def test_every_trunk_answers_every_task_and_learns_in_all_its_weights(trained):
    net, images = trained
    out = answer(net.eval(), images)
    assert {task: tuple(value.shape) for task, value in out.items()} == {
        "identity": (3, 4),
        "pose": (3, 2),
    }
    assert all(value.isfinite().all() for value in out.values())
    still = [name for name, weight in net.named_parameters() if weight.grad is None]
    assert still == []


def test_every_trunk_is_built_the_same_way_from_a_seed(trained):
    net, _ = trained
    again, other = (dict(build(net.spec, seed=seed).named_parameters()) for seed in (5, 6))
    own = dict(net.named_parameters())
    assert all(torch.equal(own[name], again[name]) for name in own)
    assert not all(torch.equal(own[name], other[name]) for name in own)


def test_every_trunk_lists_layers_in_order_of_depth(trained):
    """A layer that is called later is listed later."""
    net, images = trained
    called, hooks = [], []
    for name in layer_names(net):
        keep = net.get_submodule(name).register_forward_hook
        hooks.append(keep(lambda *_, name=name: called.append(name)))
    answer(net.eval(), images)
    for hook in hooks:
        hook.remove()
    assert tuple(called) == layer_names(net)


def test_every_trunk_comes_back_from_a_checkpoint_bit_for_bit(trained, tmp_path):
    net, images = trained
    checkpoints.save(tmp_path / "net.pt", net, epoch=1.0)
    found, _ = checkpoints.load(tmp_path / "net.pt")
    assert found.spec == net.spec
    before, after = answer(net.eval(), images), answer(found, images)
    assert all(torch.equal(before[task], after[task]) for task in before)


def test_no_trunk_cares_for_order_or_layout_or_a_tracer(trained):
    net, images = trained
    out = answer(net.eval(), images)
    turned = answer(net, images.flip(0))
    plain = answer(net.to(memory_format=torch.contiguous_format), images)
    net.to(memory_format=torch.channels_last)
    traced = answer(torch.fx.symbolic_trace(net), images)
    for task, value in out.items():
        scale = value.abs().max().item()
        for same in (turned[task].flip(0), plain[task], traced[task]):
            torch.testing.assert_close(same, value, rtol=1e-4, atol=1e-4 * scale)


@pytest.mark.parametrize("branch", ["", "conv1", "block2.conv", "block4.conv", "pool"])
def test_branches_start_as_copies_and_change_nothing(branch):
    shared, cut = (build(spec(tasks=BOTH, branch=where), seed=1).eval() for where in ("", branch))
    images = torch.rand(2, 3, 32, 32)
    before, after = answer(shared, images), answer(cut, images)
    assert all(torch.equal(before[task], after[task]) for task in BOTH)


def test_what_is_shared_and_what_is_a_tasks_own_can_be_read_off_the_names():
    net = build(spec(tasks=BOTH, branch="block3.conv"), seed=0)
    assert layer_names(net) == (
        "normalise",
        "trunk.conv1",
        "trunk.block1.conv",
        "trunk.block2.conv",
        "trunk.block3.conv",
        "branches.identity.block4.conv",
        "branches.identity.pool",
        "branches.pose.block4.conv",
        "branches.pose.pool",
        "heads.identity",
        "heads.pose",
    )
    for name in layer_names(net):
        net.get_submodule(name)


def test_a_task_teaches_what_it_shares_and_its_own_branch_only():
    net = build(spec(tasks=BOTH, branch="block2.conv"), seed=0)
    net(torch.rand(4, 3, 32, 32))["pose"].square().sum().backward()
    touched = {name.split(".")[1] for name, w in net.named_parameters() if w.grad is not None}
    assert touched == {"conv1", "block1", "block2", "pose"}


@pytest.mark.parametrize(
    ("trunk", "branch"), [("cornet_z_thin", "v2.conv"), ("squeezenet1_1", "features.0")]
)
def test_a_branch_may_begin_with_a_relu(trunk, branch):
    net = build(spec(trunk=trunk, tasks=BOTH, branch=branch), seed=0)
    out = net(torch.rand(2, 3, 64, 64))
    sum(value.sum() for value in out.values()).backward()
    assert not any(getattr(module, "inplace", False) for module in net.modules())


def test_a_trunk_that_is_no_sequence_branches_at_its_end_only():
    net = build(spec(trunk="torchvision:resnet18", tasks=BOTH, branch="fc"), seed=0)
    assert not list(net.branches.parameters())
    with pytest.raises(ValueError, match=r"^cannot cut .* layer 'conv1'; .* after fc$"):
        build(spec(trunk="torchvision:resnet18", tasks=BOTH, branch="conv1"), seed=0)


def test_a_network_may_size_its_own_images():
    small = build(spec(size_px=32), seed=0).eval()
    as_it_comes = build(spec(), seed=0).eval()
    images = torch.rand(2, 3, 80, 50)
    resized = nn.functional.interpolate(images, (32, 32), mode="bilinear", antialias=True)
    out = answer(small, images)["identity"]
    torch.testing.assert_close(out, answer(as_it_comes, resized)["identity"])
    assert not torch.allclose(out, answer(as_it_comes, images)["identity"])


def test_two_eyes_see_the_same_colours():
    mean, std = (0.4, 0.5, 0.6), (0.1, 0.2, 0.3)
    images = torch.rand(2, 6, 4, 4)
    both, one = Normalise(mean, std, eyes=2)(images), Normalise(mean, std)
    assert torch.equal(both[:, :3], one(images[:, :3]))
    assert torch.equal(both[:, 3:], one(images[:, 3:]))
    message = r"^images are \(B, 6, H, W\) for two eyes, left RGB then right, not \(2, 3, 4, 4\)$"
    with pytest.raises(ValueError, match=message):
        Normalise(mean, std, eyes=2)(images[:, :3])


def test_a_network_made_before_there_were_branches_is_the_same_network(tmp_path):
    net = build(spec(), seed=0)
    checkpoints.save(tmp_path / "net.pt", net, epoch=1.0)
    content = torch.load(tmp_path / "net.pt", weights_only=True)
    del content["spec"]["branch"], content["spec"]["size_px"]
    torch.save(content, tmp_path / "old.pt")
    assert checkpoints.load(tmp_path / "old.pt")[0].spec == replace(net.spec)
