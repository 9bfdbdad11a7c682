import numpy as np
import pytest
import torch
import torch.nn.functional as F
from facelab_models.tasks import TASKS, TaskSpec, joint_loss, specify

CLASSES = TaskSpec(kind="categorical", outputs=4, weight=0.7)
NUMBERS = TaskSpec(kind="continuous", outputs=2, weight=0.3, mean=(30.0, -2.0), sd=(10.0, 0.5))


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


def test_a_batch_without_any_label_costs_nothing(features):
    leaf = features[:, :4].clone().requires_grad_()
    loss = TASKS["categorical"].loss(leaf, torch.full((8,), -1), CLASSES, 0.0)
    loss.backward()
    assert loss == 0
    assert not leaf.grad.any()


def test_label_smoothing_agrees_with_torch(features, truth):
    ours = TASKS["categorical"].loss(features[:, :4], truth["identity"], CLASSES, 0.2)
    theirs = F.cross_entropy(features[:, :4], truth["identity"], label_smoothing=0.2)
    torch.testing.assert_close(ours, theirs)


def test_a_continuous_loss_has_no_unit(features, truth):
    """A factor in other units, with its scale in other units, costs the same."""
    loss, answers = TASKS["continuous"].loss, features[:, :2]
    large = TaskSpec(**{**vars(NUMBERS), "sd": (10_000.0, 500.0)})
    ours = loss(answers, truth["pose"], NUMBERS, 0.0)
    torch.testing.assert_close(loss(answers * 1000, truth["pose"] * 1000, large, 0.0), ours)


def test_a_head_that_knows_nothing_answers_the_mean_in_its_unit(features):
    head = TASKS["continuous"].head(5, NUMBERS)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    torch.testing.assert_close(head(features), torch.tensor([30.0, -2.0]).expand(8, 2))


def test_scores_are_one_for_the_truth_and_nothing_for_the_mean(truth):
    score = TASKS["continuous"].score
    mean = truth["pose"].mean(dim=0).expand(8, 2)
    assert score(truth["pose"], truth["pose"], NUMBERS) == 1
    assert score(mean, truth["pose"], NUMBERS) == pytest.approx(0)
    assert (
        TASKS["categorical"].score(torch.eye(4)[truth["identity"]], truth["identity"], CLASSES) == 1
    )


def test_a_missing_label_is_not_scored(truth):
    answers = {"identity": torch.eye(4)[truth["identity"]], "pose": truth["pose"].clone()}
    answers["identity"][0], answers["pose"][0] = 0, 99
    answers["identity"][0, 3] = 1
    truth["identity"][0], truth["pose"][0] = -1, torch.nan
    assert TASKS["categorical"].score(answers["identity"], truth["identity"], CLASSES) == 1
    assert TASKS["continuous"].score(answers["pose"], truth["pose"], NUMBERS) == 1


def test_specify_counts_classes_and_measures_scales(rng):
    assert specify("categorical", np.array([0, 2, -1, 1]), 0.5) == TaskSpec(
        kind="categorical", outputs=3, weight=0.5
    )
    values = rng.normal(size=(50, 3))
    values[0] = np.nan
    spec = specify("continuous", values, 1.0)
    assert spec.mean == pytest.approx(values[1:].mean(axis=0))
    assert spec.sd == pytest.approx(values[1:].std(axis=0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: specify("ordinal", np.zeros(3), 1.0), "unknown kind of task 'ordinal'; choose"),
        (
            lambda: specify("continuous", np.ones((3, 1)), 1.0),
            "output 0 of a continuous task never",
        ),
        (lambda: specify("categorical", np.full(3, -1), 1.0), "has no labels"),
        (lambda: TaskSpec(**{**vars(CLASSES), "weight": -1.0}), "weight of a task is 0 or more"),
        (lambda: TaskSpec(**{**vars(NUMBERS), "mean": ()}), "2 outputs has 2 means and sds, not 0"),
        (lambda: TaskSpec(**{**vars(CLASSES), "kind": "x"}), "unknown kind of task 'x'"),
    ],
)
def test_impossible_tasks_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_targets_for_every_task_are_asked_for(features):
    with pytest.raises(ValueError, match=r"^no targets for task 'identity'; there are pose$"):
        joint_loss({"identity": features}, {"pose": features}, {"identity": CLASSES}, 0.0)
