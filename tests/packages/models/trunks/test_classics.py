import pytest
import torch
from facelab_models.network import NetworkSpec, build
from facelab_models.tasks import TaskSpec
from facelab_models.trunks.classics import CLASSICS, with_hidden_layers
from facelab_models.weights import load
from torchvision import models

OBJECTS = TaskSpec(kind="categorical", outputs=1000, weight=1.0)


@pytest.mark.parametrize(
    ("trunk", "name", "size_px"),
    [
        ("alexnet", "alexnet", 80),
        ("squeezenet1_0", "squeezenet1_0", 64),
        ("squeezenet1_1", "squeezenet1_1", 64),
        ("torchvision:resnet18", "resnet18", 64),
    ],
)
def test_published_weights_give_the_published_answers(trunk, name, size_px, tmp_path):
    torch.manual_seed(1)
    theirs = getattr(models, name)(weights=None).eval()
    torch.save(theirs.state_dict(), tmp_path / "weights.pt")
    spec = NetworkSpec(trunk=trunk, tasks={"object": OBJECTS}, mean=(0.0,) * 3, std=(1.0,) * 3)
    ours = build(spec, seed=0).eval()
    account = load(ours, tmp_path / "weights.pt")
    assert not account.unused
    assert not account.missing
    images = torch.rand(2, 3, size_px, size_px)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images)["object"], theirs(images), rtol=1e-6, atol=1e-6)


def test_vgg16_is_torchvisions_without_its_last_layer():
    with torch.device("meta"):  # its 138 million weights are drawn once, and simply
        theirs = models.vgg16(weights=None)
    theirs = theirs.to_empty(device="cpu").eval()
    with torch.no_grad():
        for weight in theirs.parameters():
            weight.uniform_(-0.01, 0.02)
    trunk = with_hidden_layers(lambda weights: theirs)
    images = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        features = trunk.net(images)
        assert torch.equal(theirs.classifier[-1](features), theirs(images))
    assert trunk.head == "classifier.6"
    named = {*trunk.net.state_dict(), "classifier.6.weight", "classifier.6.bias"}
    assert named == {*theirs.state_dict()}
    assert len(trunk.layers) == 13 + 5 + 2


def test_a_squeezenet_answers_classes_as_published_and_numbers_from_its_average():
    tasks = {
        "object": OBJECTS,
        "pose": TaskSpec(kind="continuous", outputs=1, weight=1.0, mean=(0.0,), sd=(1.0,)),
    }
    spec = NetworkSpec(trunk="squeezenet1_1", tasks=tasks, mean=(0.5,) * 3, std=(0.25,) * 3)
    net = build(spec, seed=0).eval()
    images = torch.rand(2, 3, 64, 64)
    maps = net.trunk(net.normalise(images))
    answers = net(images)
    assert (answers["object"] >= 0).all()  # the published network rectifies its logits
    pooled = maps.mean(dim=(2, 3))
    torch.testing.assert_close(answers["pose"], net.heads["pose"].answer(pooled))


def test_layers_are_what_a_unit_answers():
    assert CLASSICS["alexnet"]().layers == (
        *("features.1", "features.2", "features.4", "features.5", "features.7", "features.9"),
        *("features.11", "features.12", "classifier.2", "classifier.5"),
    )
    assert CLASSICS["squeezenet1_0"]().layers[-1] == "features.12"
