import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from facelab_probing.overhearing import Noting

MAPS = torch.rand(1, 4, 8, 8)
PLACES = torch.rand(8)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (lambda x: F.conv2d(x, torch.ones(2, 4, 3, 3)), ["window"]),
        (lambda x: F.max_pool2d(x, 2), ["window"]),
        (lambda x: F.adaptive_avg_pool2d(x, 4), ["window"]),
        (lambda x: F.adaptive_avg_pool2d(x, 3), ["whole"]),
        (lambda x: F.adaptive_avg_pool2d(x, 1), ["whole"]),
        (lambda x: x.relu(), ["place"]),
        (lambda x: x - torch.ones(1, 4, 1, 1), ["place"]),
        (lambda x: x - PLACES, ["whole"]),
        (lambda x: F.batch_norm(x, torch.zeros(4), torch.ones(4)), ["place"]),
        (lambda x: F.batch_norm(x, None, None, training=True), ["whole"]),
        (lambda x: x + x, ["sum"]),
        (lambda x: torch.add(x, x, alpha=2), ["place"]),
        (lambda x: x * x, ["place"]),
        (lambda x: torch.cat([x, x], 1), ["units"]),
        (lambda x: torch.cat([x, x], 0), ["whole"]),
        (lambda x: x[:, :2], ["units"]),
        (lambda x: x[:, :, ::2], ["whole"]),
        (lambda x: x.chunk(2, dim=1), ["units", "units"]),
        (lambda x: x.flatten(1), ["whole"]),
        (lambda x: x.mean((2, 3)), ["whole"]),
        (lambda x: x.roll(1, 2), ["whole"]),
        (lambda x: F.interpolate(x, (8, 8), mode="bilinear", antialias=True), ["place"]),
        (lambda x: F.interpolate(x, (4, 4)), ["whole"]),
        (lambda x: F.softmax(x, 1), ["whole"]),
        (lambda x: torch.ones(3), []),
    ],
)
def test_each_operation_spreads_changes_its_own_way(change, kinds):
    with Noting(MAPS) as noting:
        change(MAPS)
    assert [step.kind for step in noting.steps] == kinds


def test_a_step_applies_the_same_operation_to_other_maps():
    with Noting(MAPS) as noting:
        result = torch.cat([F.relu(MAPS - 0.5, inplace=True), MAPS], 1)
    assert noting.number(result) == 3
    assert noting.number(torch.ones(1)) is None
    other = torch.rand(5, 4, 8, 8)
    kept = other.clone()
    shifted = noting.steps[0].run(other)
    rectified = noting.steps[1].run(shifted)
    assert torch.equal(shifted, other - 0.5)  # although it is rectified in place
    assert torch.equal(rectified, (other - 0.5).clamp(min=0))
    assert torch.equal(noting.steps[2].run(rectified, other), torch.cat([rectified, other], 1))
    assert torch.equal(other, kept)


def test_modules_are_noted_as_the_functions_they_call():
    net = nn.Sequential(nn.Conv2d(4, 2, 3), nn.Dropout(), nn.ReLU()).eval()
    with Noting(MAPS) as noting:
        net(MAPS)
    assert [step.name for step in noting.steps] == ["conv2d", "dropout", "relu"]
    assert [step.inputs for step in noting.steps] == [(0,), (1,), (2,)]
