import math

import pytest
import torch
import torch.nn.functional as F
from facelab_models.kinds import TASKS, TaskSpec
from facelab_models.margins import MARGIN, CosineHead, widen

PEOPLE = TaskSpec(kind="margin", outputs=5, weight=1.0)


def angles(*degrees):
    """Give cosines (B, 5) of these angles to the true class, 0, and of 80° to all others."""
    cosines = torch.full((len(degrees), 5), math.cos(math.radians(80)), dtype=torch.double)
    cosines[:, 0] = torch.tensor(degrees, dtype=torch.double).deg2rad().cos()
    return cosines


def test_the_angle_to_the_true_class_grows_by_the_margin():
    cosines = angles(0.0, 10.0, 90.0, 150.0)
    found = widen(cosines, torch.zeros(4, dtype=torch.long))
    expected = torch.tensor([0.0, 10.0, 90.0, 150.0]).double().deg2rad().add(MARGIN).cos()
    torch.testing.assert_close(found[:, 0], expected, rtol=0, atol=1e-5)
    assert torch.equal(found[:, 1:], cosines[:, 1:])


def test_beyond_half_a_turn_the_answer_goes_on_falling():
    """Past π − m the cosine of a wider angle would rise again."""
    degrees = torch.linspace(0.5, 179.5, 180).tolist()
    found = widen(angles(*degrees), torch.zeros(180, dtype=torch.long))[:, 0]
    assert (found.diff() < 0).all()
    last = math.cos(math.radians(179.5)) - 0.5 * math.sin(0.5)
    assert found[-1].item() == pytest.approx(last)


def test_the_slope_is_finite_where_the_angle_is_none():
    cosines = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], requires_grad=True)
    widen(cosines, torch.zeros(2, dtype=torch.long)).sum().backward()
    assert cosines.grad.isfinite().all()


def test_an_image_without_a_class_keeps_its_cosines():
    cosines = angles(10.0, 20.0)
    assert torch.equal(widen(cosines, torch.tensor([-1, -1])), cosines)


def test_the_loss_is_that_of_the_closed_form():
    degrees, others = 40.0, math.cos(math.radians(80))
    true = 64 * math.cos(math.radians(degrees) + 0.5)
    expected = -true + math.log(math.exp(true) + 4 * math.exp(64 * others))
    total, count = TASKS["margin"].cost(angles(degrees), torch.tensor([0]), PEOPLE, 0.0)
    assert total.item() / count.item() == pytest.approx(expected, abs=1e-9)


def test_the_margin_is_for_training_only():
    cosines, classes = angles(40.0, 60.0), torch.tensor([0, 0])
    total, _ = TASKS["margin"].cost(cosines, classes, PEOPLE, None)
    expected = F.cross_entropy(64 * cosines, classes, reduction="sum")
    torch.testing.assert_close(total, expected)
    taught, _ = TASKS["margin"].cost(cosines, classes, PEOPLE, 0.0)
    assert taught > 2 * total


def test_a_head_answers_cosines_of_its_embedding():
    head = CosineHead(7, 5).eval()
    features = torch.rand(4, 7, generator=torch.Generator().manual_seed(0))
    embedded = head.standardise(head.embed(head.norm(features)))
    expected = F.cosine_similarity(embedded[:, None], head.weight[None], dim=2)
    torch.testing.assert_close(head(features), expected)
    torch.testing.assert_close(head(features).abs().clamp(max=1), head(features).abs())
