import math

import pytest
import torch
from facelab_models.angles import AngleHead, circular_r2, squared_chord
from facelab_models.kinds import TASKS, TaskSpec

POSE = TaskSpec(kind="angle", outputs=2, weight=1.0)


def cost(answers, angles):
    total, count = TASKS["angle"].cost(answers, angles, POSE, 0.0)
    return total / count


@pytest.mark.parametrize(
    ("answer", "angle", "error"), [(179.0, -179.0, 2.0), (359.0, 1.0, 2.0), (10.0, -20.0, 30.0)]
)
def test_an_error_is_the_short_way_round(answer, angle, error):
    found = squared_chord(torch.tensor(answer).double(), torch.tensor(angle).double())
    assert found.item() == pytest.approx(2 * (1 - math.cos(math.radians(error))))


def test_the_loss_is_the_mean_over_angles_and_images():
    answers = torch.tensor([[90.0, 0.0], [180.0, 45.0]])
    angles = torch.tensor([[0.0, 0.0], [-180.0, -45.0]])
    assert cost(answers, angles).item() == pytest.approx((2 + 0 + 0 + 2) / 4, abs=1e-6)


def test_a_missing_angle_teaches_nothing():
    answers = torch.tensor([[10.0, 20.0], [30.0, 40.0]], requires_grad=True)
    angles = torch.tensor([[0.0, torch.nan], [0.0, 0.0]])
    loss = cost(answers, angles)
    loss.backward()
    assert answers.grad[0, 1] == 0
    assert answers.grad.isfinite().all()
    expected = squared_chord(answers.detach()[:, 0], torch.zeros(2)).sum() + squared_chord(
        torch.tensor(40.0), torch.tensor(0.0)
    )
    assert loss.item() == pytest.approx(expected.item() / 3)


def test_a_head_answers_the_direction_of_its_point():
    head = AngleHead(4, 3)
    torch.nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_(torch.tensor([1.0, 0.0, -3.0, 1.0, 2.0, 0.0]))
    found = head(torch.rand(5, 4))
    torch.testing.assert_close(found, torch.tensor([45.0, 90.0, 180.0]).expand(5, 3))


@pytest.fixture
def angles():
    generator = torch.Generator().manual_seed(0)
    return 170 + 25 * torch.randn(400, 2, generator=generator).double()  # across the seam


def test_the_score_is_one_for_the_truth_however_it_is_written(angles):
    assert circular_r2(angles - 360, angles) == pytest.approx(1)


def test_the_score_is_nothing_for_the_best_constant_and_less_for_others(angles):
    radians = angles.deg2rad()
    best = torch.atan2(radians.sin().mean(dim=0), radians.cos().mean(dim=0)).rad2deg()
    assert circular_r2(best.expand(400, 2), angles) == pytest.approx(0, abs=1e-9)
    assert circular_r2((best + 5).expand(400, 2), angles) < 0


def test_the_score_of_small_errors_is_that_of_any_number(angles):
    """Away from the seam and within few degrees a circle is a line: R²."""
    few = (angles - 170) / 50
    answers = few + 0.2 * torch.randn(400, 2, generator=torch.Generator().manual_seed(1)).double()
    spread = (few - few.mean(dim=0)).square().sum(dim=0)
    r2 = (1 - (answers - few).square().sum(dim=0) / spread).mean().item()
    assert circular_r2(answers, few) == pytest.approx(r2, abs=1e-4)


def test_a_missing_angle_is_not_scored(angles):
    answers = angles.clone()
    answers[0], angles[0] = 0, torch.nan
    assert circular_r2(answers, angles) == pytest.approx(1)
