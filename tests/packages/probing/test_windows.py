import numpy as np
import pytest
import torch
import torch.nn.functional as F
from facelab_probing.windows import WINDOWS, hull, pixels, through, whole

SIZE = 23


def seen(operation):
    """Find which pixels each place of the last axis depends on, from the gradient."""
    line = torch.rand(1, 1, SIZE, SIZE, dtype=torch.double, requires_grad=True)
    output = operation(line)[0, 0, -1]
    found = []
    for place in output:
        (gradient,) = torch.autograd.grad(place, line, retain_graph=True)
        columns = np.flatnonzero(gradient[0, 0].abs().sum(dim=0).numpy() > 1e-12)
        found.append((columns[0], columns[-1]) if len(columns) else None)
    return found


KERNEL = torch.rand(1, 1, 3, 5, dtype=torch.double) + 0.1
CASES = [
    ("conv2d", F.conv2d, {"weight": KERNEL}),
    ("conv2d", F.conv2d, {"weight": KERNEL, "stride": 3, "padding": (1, 2)}),
    ("conv2d", F.conv2d, {"weight": KERNEL, "padding": "same", "dilation": 3}),
    ("conv2d", F.conv2d, {"weight": KERNEL, "padding": 5, "dilation": 4, "stride": 2}),
    ("avg_pool2d", F.avg_pool2d, {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("avg_pool2d", F.avg_pool2d, {"kernel_size": 4}),
    ("avg_pool2d", F.avg_pool2d, {"kernel_size": 4, "stride": 3, "ceil_mode": True}),
    ("adaptive_avg_pool2d", F.adaptive_avg_pool2d, {"output_size": 6}),
    ("pad", F.pad, {"pad": (2, 0, 1, 1)}),
    ("interpolate", F.interpolate, {"scale_factor": 2}),
    ("interpolate", F.interpolate, {"size": 9, "mode": "nearest-exact"}),
    ("interpolate", F.interpolate, {"size": 40, "mode": "bilinear"}),
    ("interpolate", F.interpolate, {"size": 9, "mode": "bilinear"}),
    ("interpolate", F.interpolate, {"size": 9, "mode": "bilinear", "antialias": True}),
]


@pytest.mark.parametrize(("name", "operation", "options"), CASES)
def test_a_window_holds_what_the_gradient_reaches(name, operation, options):
    found = seen(lambda line: operation(line, **options))
    axis = through(pixels(SIZE), WINDOWS[name]((1, SIZE, len(found)), **options))
    for low, high, reached in zip(axis.low, axis.high, found, strict=True):
        if reached is not None:
            assert low <= reached[0] <= reached[1] <= high
            slack = 2 if name == "interpolate" else 0  # the ends of a triangle weigh nothing
            assert high - low <= reached[1] - reached[0] + slack
    assert (axis.high - axis.low + 1 <= axis.size_px).all()


def test_options_may_come_without_names():
    plain = WINDOWS["conv2d"]((0, 9, 5), KERNEL, None, 2, 1, 1, 1)
    named = WINDOWS["conv2d"]((0, 9, 5), weight=KERNEL, stride=2, padding=1)
    np.testing.assert_array_equal(plain.first, named.first)
    np.testing.assert_array_equal(plain.last, named.last)
    assert plain.last[0] - plain.first[0] == 2


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("adaptive_avg_pool2d", {"output_size": 1}),
        ("pad", {"pad": (1, 1), "mode": "reflect"}),
        ("interpolate", {"size": 1, "mode": "bicubic"}),
    ],
)
def test_what_has_no_window_sees_everything(name, options):
    assert WINDOWS[name]((1, SIZE, 1), **options) is None


def test_a_hull_reaches_from_the_first_pixel_to_the_last():
    narrow, wide = pixels(9), through(pixels(9), WINDOWS["conv2d"]((0, 9, 9), KERNEL, None, 1, 1))
    both = hull([narrow, wide], 9)
    assert (both.size_px, both.offset_px, both.stride_px) == (3, -1, 1)
    np.testing.assert_array_equal(both.low, wide.low)
    assert (hull([narrow, narrow], 9).high == narrow.high).all()


def test_a_sum_with_a_global_value_sees_everything():
    both = hull([pixels(9), whole(1, 9)], 9)
    assert (both.size_px, both.stride_px) == (9, 0)
    assert both.low.tolist() == [0] * 9
    assert both.high.tolist() == [8] * 9
