import pytest
import torch
import torch.nn.functional as F
from facelab_probing.kernels import kernel_of

MAPS = torch.rand(2, 4, 9, 9, dtype=torch.float64)
WEIGHT = torch.rand(6, 2, 3, 3, dtype=torch.float64) - 0.5


def convolution():
    options = {"weight": WEIGHT, "bias": None, "stride": 2, "padding": 1, "groups": 2}

    def apply(maps):
        return F.conv2d(maps, **options)

    return kernel_of("conv2d", (), options, (MAPS.shape, apply(MAPS).shape), apply)


@pytest.mark.parametrize(
    ("name", "given", "after", "expected"),
    [
        ("max_pool2d", (3, 2, 1), 5, ("maximum", 3, 2, 1, 1)),
        ("max_pool2d", (2, 1, 0, 3), 6, ("maximum", 2, 1, 0, 3)),
        ("avg_pool2d", (2,), 4, ("average", 2, 2, 0, 1)),
        ("adaptive_avg_pool2d", (3,), 3, ("average", 3, 3, 0, 1)),
        ("conv2d", (torch.ones(1, 4, 5, 5), None, 1, "same"), 9, ("", 5, 1, 2, 1)),
    ],
)
def test_the_geometry_is_read_from_the_arguments(name, given, after, expected):
    kernel = kernel_of(name, given, {}, ((1, 4, 9, 9), (1, 4, after, after)), None)
    pooling, *rest = expected
    assert kernel.pooling == pooling
    assert [kernel.size, kernel.stride, kernel.padding, kernel.dilation] == [(n, n) for n in rest]
    assert kernel.reach(0) == (rest[0] - 1) * rest[3]


@pytest.mark.parametrize(
    ("name", "given", "after"), [("adaptive_avg_pool2d", (4,), 4), ("relu", (), 9), ("pad", (), 9)]
)
def test_what_has_no_regular_windows_has_no_kernel(name, given, after):
    assert kernel_of(name, given, {}, ((1, 4, 9, 9), (1, 4, after, after)), None) is None


def test_a_scaled_convolution_is_followed_by_factor_and_offset():
    factor, offset = torch.rand(2, 6, dtype=torch.float64)
    once = convolution().scaled(factor, offset)
    expected = convolution().apply(MAPS) * factor.view(6, 1, 1) + offset.view(6, 1, 1)
    torch.testing.assert_close(once.apply(MAPS), expected)
    twice = once.scaled(factor, offset).apply(MAPS)
    torch.testing.assert_close(twice, expected * factor.view(6, 1, 1) + offset.view(6, 1, 1))


def test_one_unit_of_a_convolution_is_that_unit():
    weight, bias = torch.rand(5, 4, 3, 3).double(), torch.rand(5).double()
    shapes = MAPS.shape, (2, 5, 7, 7)
    kernel = kernel_of("conv2d", (weight, bias), {}, shapes, lambda x: F.conv2d(x, weight, bias))
    torch.testing.assert_close(kernel.only(3).apply(MAPS), kernel.apply(MAPS)[:, 3:4])


@pytest.mark.parametrize(
    ("size", "options", "after"),
    [
        (4, {"padding": "same"}, (2, 2)),
        (3, {"padding": "same", "dilation": 2}, (2, 2)),
        (2, {"padding": "same", "dilation": 3}, (2, 2)),
        (3, {"padding": 1, "stride": 3}, (1, 1)),
        (4, {"padding": (0, 1), "stride": 2}, (0, 1)),
    ],
)
def test_padding_after_the_last_place_is_kept_when_weights_change(size, options, after):
    weight, bias = torch.rand(5, 4, size, size).double(), torch.rand(5).double()

    def apply(maps):
        return F.conv2d(maps, weight, bias, **options)

    shapes = MAPS.shape, apply(MAPS).shape
    kernel = kernel_of("conv2d", (weight, bias), options, shapes, apply)
    assert kernel.after == after
    torch.testing.assert_close(kernel.only(3).apply(MAPS), apply(MAPS)[:, 3:4])
    factor, offset = torch.rand(2, 5, dtype=torch.float64)
    expected = apply(MAPS) * factor.view(5, 1, 1) + offset.view(5, 1, 1)
    torch.testing.assert_close(kernel.scaled(factor, offset).apply(MAPS), expected)
