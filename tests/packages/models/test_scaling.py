"""Weights in the scale of 8-bit pixels, divided and not, beside the same ones in a usual scale."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from facelab_models.evaluation import evaluate
from facelab_models.network import NetworkSpec, build
from facelab_models.scaling import divide
from facelab_models.training import fit
from facelab_models.weights import load
from torchvision import models

from tests.packages.models.conftest import CLASSES, LIVELY

SCALE = 58.0


@pytest.fixture
def make():
    """Give a maker of networks for four classes, with biases that matter."""

    def made(trunk="cornet_z_thin", **changes):
        values = {"mean": (0.5,) * 3, "std": (0.25,) * 3, "tasks": {"identity": CLASSES}}
        net = build(NetworkSpec(trunk=trunk, **values, **changes), seed=0)
        drawn = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for name, value in net.trunk.named_parameters():
                if name.endswith("conv.bias"):
                    value.normal_(std=0.1, generator=drawn)
        return net

    return made


def outputs(net, images):
    """Give what every recorded layer says."""
    found = {}
    hooks = [
        net.get_submodule(layer).register_forward_hook(
            lambda _, __, output, name=layer: found.update({name: output.clone()})
        )
        for layer in net.layers
    ]
    with torch.inference_mode():
        net.eval()(images)
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize(
    ("trunk", "branch"), [("cornet_z", ""), ("cornet_z", "v1"), ("squeezenet1_1", "")]
)
def test_all_activations_are_divided_and_pixels_are_not(make, trunk, branch):
    net = make(trunk, branch=branch)
    images = torch.rand(2, 3, 64, 64)
    before = outputs(net, images)
    divide(net, SCALE)
    for layer, after in outputs(net, images).items():
        if layer.startswith(("trunk.", "branches.")):
            torch.testing.assert_close(after * SCALE, before[layer], rtol=1e-3, atol=1e-3)
    assert torch.equal(outputs(net, images)["normalise"], before["normalise"])


def test_the_head_that_a_file_brings_answers_as_before(make, tmp_path):
    torch.manual_seed(0)
    theirs = models.squeezenet1_1(num_classes=4).eval()
    torch.save(theirs.state_dict(), tmp_path / "weights.pt")
    images = torch.rand(2, 3, 64, 64)
    net = make("squeezenet1_1").eval()
    load(net, tmp_path / "weights.pt", scale=SCALE)
    with torch.inference_mode():
        found, wanted = net(images)["identity"], theirs((images - 0.5) / 0.25)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("trunk", ["resnet6_thin", "blt"])
def test_a_layer_with_a_scale_of_its_own_is_refused_and_nothing_changed(make, trunk):
    net = make(trunk)
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(ValueError, match=f"^the activations of '{trunk}' cannot be divided by 58"):
        divide(net, SCALE)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.training


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_is_above_0(make, scale):
    with pytest.raises(ValueError, match=f"^the scale of weights is above 0, not {scale}$"):
        divide(make(), scale)


def test_weights_in_the_scale_of_pixels_are_ruined_by_a_rate_that_suits_them_divided(
    make, batches, config, rng, tmp_path
):
    """Beside them: the same weights in a usual scale, and labels that are not there to learn."""
    labels = rng.integers(4, size=320)
    images = rng.normal(110, 30, size=(320, 16, 16, 3)) + 40 * np.eye(4, 3)[labels][:, None, None]
    images = images.clip(0, 255).astype(np.uint8)
    usual = make()
    large = copy.deepcopy(usual)
    divide(large, 1 / SCALE)
    torch.save({f"trunk.{n}": v for n, v in large.trunk.state_dict().items()}, tmp_path / "w.pt")
    plan = config(epochs=3, optimizer="sgd", lr=0.01, schedule="constant", warmup=0.0)

    def tuned(net, known=labels):
        train = batches(images[:240], batch_size=16, identity=known[:240])
        list(fit(net, train, plan))
        test = batches(images[240:], batch_size=80, identity=labels[240:])
        return evaluate(net, test)["identity"]["accuracy"]

    undivided, divided, luck = make(), make(), make()
    for net, scale in ((undivided, 1.0), (divided, SCALE), (luck, SCALE)):
        load(net, tmp_path / "w.pt", scale=scale)
    reached = tuned(usual)
    assert reached > 0.9
    assert tuned(divided) == pytest.approx(reached, abs=0.05)
    assert tuned(undivided) < 0.5
    assert tuned(luck, rng.permutation(labels)) < 0.5


def test_fine_tuning_is_what_a_bare_loop_does_to_the_published_network(
    make, batches, images, config, tmp_path
):
    """Step by step, dropout and all: torchvision's network, its last convolution replaced."""
    torch.manual_seed(0)
    theirs = models.squeezenet1_1(weights=None)
    torch.save(theirs.state_dict(), tmp_path / "weights.pt")
    net = make("squeezenet1_1")
    load(net, tmp_path / "weights.pt")
    theirs.classifier[1] = nn.Conv2d(512, 4, 1)
    theirs.classifier[1].load_state_dict(net.heads["identity"][1].state_dict())
    dealer = batches(images, augment=replace(LIVELY, grey=0.0), identity=np.arange(22) % 4)
    plan = config(
        epochs=1, optimizer="sgd", schedule="constant", warmup=0.0, weight_decay=0.0,
        label_smoothing=0.0, checkpoints=(0.33, 0.67, 1.0),
    )  # fmt: skip
    losses = [record.losses["identity"] for record in fit(net, dealer, plan)]
    optimizer = torch.optim.SGD(theirs.train().parameters(), lr=0.01, momentum=0.9)
    for step, (shown, targets) in enumerate(dealer(0)):
        torch.manual_seed(step)
        loss = F.cross_entropy(theirs((shown - 0.5) / 0.25), targets["identity"])
        assert losses[step] == pytest.approx(loss.item(), rel=1e-4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert step == 2
