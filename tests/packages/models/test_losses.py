from dataclasses import replace

import pytest
import torch
from facelab_models.kinds import TaskSpec
from facelab_models.losses import joint_loss
from facelab_models.tasks import join

from tests.packages.models.conftest import CLASSES, NUMBERS

CARS = replace(CLASSES, outputs=3, weight=0.5)


@pytest.fixture
def truth():
    return {"identity": torch.arange(8) % 4, "pose": torch.linspace(-30, 30, 16).view(8, 2)}


@pytest.fixture
def features():
    return torch.rand(8, 5, generator=torch.Generator().manual_seed(0))


def shown(count):
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def gradients(net, images, truth, **weights):
    """Return the gradient of the joint loss for all parameters, under other task weights."""
    tasks = {
        name: TaskSpec(**{**vars(spec), "weight": weights[name]})
        for name, spec in net.spec.tasks.items()
    }
    net.zero_grad()
    joint_loss(net(images), truth, tasks, 0.1)[0].backward()
    return {name: parameter.grad.clone() for name, parameter in net.named_parameters()}


def test_the_joint_gradient_is_the_weighted_sum_of_the_tasks_gradients(net, truth):
    net, images = net.eval().double(), shown(8).double()
    joint = gradients(net, images, truth, identity=0.7, pose=0.3)
    first = gradients(net, images, truth, identity=1.0, pose=0.0)
    second = gradients(net, images, truth, identity=0.0, pose=1.0)
    for name, gradient in joint.items():
        torch.testing.assert_close(
            gradient, 0.7 * first[name] + 0.3 * second[name], rtol=1e-9, atol=1e-9
        )


def test_a_task_of_weight_zero_leaves_its_head_without_gradient(net, truth):
    found = gradients(net, shown(8), truth, identity=0.0, pose=1.0)
    assert not found["heads.identity.weight"].any()
    assert not found["heads.identity.bias"].any()
    assert found["heads.pose.weight"].any()


def test_images_without_a_label_teach_nothing(features, truth):
    answers = {"identity": features[:, :4], "pose": features[:, :2]}
    specs = {"identity": CLASSES, "pose": NUMBERS}
    half = {task: values[:4] for task, values in truth.items()}
    _, expected = joint_loss({t: a[:4] for t, a in answers.items()}, half, specs, 0.1)
    truth["identity"][4:] = -1
    truth["pose"][4:] = torch.nan
    leaf = {task: answer.clone().requires_grad_() for task, answer in answers.items()}
    total, losses = joint_loss(leaf, truth, specs, 0.1)
    total.backward()
    for task in specs:
        torch.testing.assert_close(losses[task], expected[task])
        assert not leaf[task].grad[4:].any()
        assert leaf[task].grad[:4].any()


def test_targets_for_every_task_are_asked_for(features):
    with pytest.raises(ValueError, match=r"^no targets for task 'identity'; there are pose$"):
        joint_loss({"identity": features}, {"pose": features}, {"identity": CLASSES}, 0.0)


def test_a_joined_loss_is_the_sum_over_an_images_labels(network):
    """By hand: five logits rows, a face, a car, both, neither, a face."""
    net = network(**join({"identity": CLASSES, "cars": CARS})).eval()
    answers = net(shown(5))
    assert torch.equal(answers["identity"], answers["cars"])
    truth = {
        "identity": torch.tensor([1, -1, 3, -1, 0]),
        "cars": torch.tensor([-1, 2, 0, -1, -1]),
    }
    loss, losses = joint_loss(answers, truth, net.spec.tasks, 0.0)
    minus = -answers["identity"].log_softmax(dim=1)
    people = (minus[0, 1] + minus[2, 3] + minus[4, 0]) / 3
    cars = (minus[1, 4 + 2] + minus[2, 4 + 0]) / 2
    torch.testing.assert_close(losses["identity"], people)
    torch.testing.assert_close(losses["cars"], cars)
    torch.testing.assert_close(loss, CLASSES.weight * people + CARS.weight * cars)


@pytest.mark.parametrize(("arrange", "rivals"), [(join, True), (dict, False)])
def test_a_joined_classifier_makes_classes_of_different_tasks_rivals(arrange, rivals, network):
    """Teaching a face moves the cars' weights; with a head each it does not."""
    net = network(**arrange({"identity": CLASSES, "cars": CARS})).eval()
    truth = {"identity": torch.arange(4), "cars": torch.full((4,), -1)}
    joint_loss(net(shown(4)), truth, net.spec.tasks, 0.0)[0].backward()
    cars = net.heads["joined"].weight.grad[4:] if rivals else net.heads["cars"].weight.grad
    assert bool(cars.any()) is rivals
