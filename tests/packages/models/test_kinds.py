from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from facelab_models.kinds import TASKS, TaskSpec, accuracy_among_own

from tests.packages.models.conftest import CLASSES, NUMBERS


@pytest.fixture
def truth():
    return {"identity": torch.arange(8) % 4, "pose": torch.linspace(-30, 30, 16).view(8, 2)}


@pytest.fixture
def features():
    return torch.rand(8, 5, generator=torch.Generator().manual_seed(0))


def test_a_batch_without_any_label_costs_nothing(features):
    leaf = features[:, :4].clone().requires_grad_()
    total, count = TASKS["categorical"].cost(leaf, torch.full((8,), -1), CLASSES, 0.0)
    total.backward()
    assert total == count == 0
    assert not leaf.grad.any()


def test_label_smoothing_agrees_with_torch(features, truth):
    total, count = TASKS["categorical"].cost(features[:, :4], truth["identity"], CLASSES, 0.2)
    theirs = F.cross_entropy(features[:, :4], truth["identity"], label_smoothing=0.2)
    torch.testing.assert_close(total / count, theirs)


def test_a_continuous_loss_has_no_unit(features, truth):
    """A factor in other units, with its scale in other units, costs the same."""
    cost, answers = TASKS["continuous"].cost, features[:, :2]
    large = TaskSpec(**{**vars(NUMBERS), "sd": (10_000.0, 500.0)})
    ours = cost(answers, truth["pose"], NUMBERS, 0.0)
    torch.testing.assert_close(cost(answers * 1000, truth["pose"] * 1000, large, 0.0), ours)


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


CARS = replace(CLASSES, outputs=3, head="joined", first=4)


def test_a_class_of_a_joined_classifier_comes_after_those_of_the_tasks_before():
    logits = torch.rand(5, 7, generator=torch.Generator().manual_seed(0))
    classes = torch.tensor([0, 2, -1, 1, 2])
    total, count = TASKS["categorical"].cost(logits, classes, CARS, 0.1)
    by_hand = F.cross_entropy(
        logits[[0, 1, 3, 4]], torch.tensor([4, 6, 5, 6]), label_smoothing=0.1, reduction="sum"
    )
    torch.testing.assert_close(total, by_hand)
    assert count == 4


def test_a_joined_classifier_is_judged_among_all_classes_and_among_the_tasks_own():
    """Of four images: right; a person for a car; another car; without a label."""
    logits = torch.eye(7)[[4, 0, 5, 0]] * 2 + torch.eye(7)[[4, 5, 6, 0]]
    classes = torch.tensor([0, 1, 2, -1])
    assert TASKS["categorical"].score(logits, classes, CARS) == pytest.approx(1 / 3)
    assert accuracy_among_own(logits, classes, CARS) == pytest.approx(2 / 3)


def test_an_angle_is_read_off_a_continuous_factor_and_a_margin_off_classes():
    assert {name: kind.factor for name, kind in TASKS.items()} == {
        "categorical": "categorical",
        "margin": "categorical",
        "continuous": "continuous",
        "angle": "continuous",
    }


@pytest.mark.parametrize("kind", TASKS)
def test_a_head_answers_each_image_with_the_outputs_of_its_task(kind, features):
    scale = {"mean": (0.0,) * 3, "sd": (1.0,) * 3} if TASKS[kind].has_scale else {}
    spec = TaskSpec(kind=kind, outputs=3, weight=1.0, **scale)
    assert TASKS[kind].head(5, spec)(features).shape == (8, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": -1.0}, r"^the weight of a task is 0 or more, not -1.0$"),
        ({"mean": ()}, r"^a continuous task of 2 outputs has 2 means and sds, not 0 and 2$"),
        ({"kind": "x"}, r"^unknown kind of task 'x'; choose from categorical, margin, cont"),
        ({"head": "joined"}, r"^only categorical tasks share a classifier, not continuous ones$"),
    ],
)
def test_impossible_tasks_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(NUMBERS, **change)
