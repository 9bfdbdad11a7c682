import numpy as np
import pytest
import torch
import torch.nn as nn
from facelab_probing.discrepancies import Maps
from facelab_probing.fields import theoretical
from facelab_probing.occlusion import map_all, prepare
from facelab_probing.receptive_fields import receptive_field, segment

from tests.packages.probing.hidden import occluder

PX = 29


def planted(weights):
    """Build a network of one unit that weighs a window of pixels so, and its theoretical field."""
    net = nn.Sequential(nn.Conv2d(3, 1, weights.shape, bias=False))
    with torch.no_grad():
        net[0].weight.copy_(torch.as_tensor(weights).expand(1, 3, *weights.shape))
    return net, theoretical(net, ["0"], (PX, PX))["0"]


def bright(row, column, size, rng):
    """Draw an image whose brightest part, all alike, lies here."""
    image = torch.from_numpy(rng.random((3, PX, PX), np.float32) * 0.2)
    image[:, row : row + size, column : column + size] = 1
    return image


def measured(net, field, images, how, **options):
    subject = prepare(net, ["0"], (PX, PX))
    rng = np.random.default_rng(0)
    maps = [map_all(subject, image, how, rng=rng)["0"] for image in images]
    return receptive_field(maps, 0, field, **options), maps


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (2, 1), (5, 1), (6, 2)])
def test_three_sensitive_pixels_of_seven_measure_three_under_any_occluder(size, stride, rng):
    weights = np.zeros((7, 7))
    weights[1:4, 3:6] = 1
    net, field = planted(weights)
    images = [bright(row, column, 7, rng) for row, column in ((11, 12), (12, 10))]
    found, _ = measured(net, field, images, occluder(size_px=size, stride_px=stride))
    assert field.size_px == found.theoretical_px == (7, 7)
    assert found.extent.size_px == pytest.approx(3, abs=1e-5 if stride == 1 else 0.2)
    assert found.extent.raw_px == pytest.approx(np.sqrt(9 + size**2 - 1), abs=0.2)
    assert found.images == 2


def test_a_single_pixel_occluder_draws_the_field_where_it_is(rng):
    weights = np.zeros((7, 7))
    weights[1:4, 3:6] = 1
    net, field = planted(weights)
    found, _ = measured(net, field, [bright(11, 12, 7, rng)], occluder(size_px=1, stride_px=1))
    middle = len(found.mask) // 2
    expected = np.zeros_like(found.mask)
    expected[middle - 2 : middle + 1, middle : middle + 3] = True
    assert np.array_equal(found.mask, expected)
    assert found.area_px == 3
    assert np.isnan(found.size_se_px)


@pytest.mark.parametrize(
    ("weights", "angle"),
    [
        (np.ones((3, 9)), 0),
        (np.ones((9, 3)), 90),
        (np.eye(9), 45),
        (np.eye(9)[::-1].copy(), 135),
    ],
)
def test_a_long_field_has_its_length_and_orientation(weights, angle, rng):
    net, field = planted(weights)
    found, _ = measured(net, field, [bright(9, 9, 10, rng)], occluder(size_px=3, stride_px=1))
    turned = (found.extent.orientation_deg - angle + 90) % 180 - 90
    assert turned == pytest.approx(0, abs=1e-3)
    long = 9 if angle in (0, 90) else np.sqrt(2 * 80 + 1)
    assert found.extent.major_px == pytest.approx(long, rel=1e-4)
    short = 3 if angle in (0, 90) else 1
    assert found.extent.minor_px == pytest.approx(short, abs=1e-2)


def test_maps_are_centred_on_the_theoretical_field_to_a_fraction_of_a_pixel():
    """Fields of 4 pixels have their centre between two; occluders of 3 in one."""
    net, field = planted(np.ones((4, 4)))
    generator = np.random.default_rng(3)
    places = ((10, 11), (13, 12), (9, 9))
    images = [bright(row, column, 4, generator) for row, column in places]
    found, maps = measured(net, field, images, occluder(size_px=3, stride_px=1))
    assert [tuple(one.places[0]) for one in maps] == list(places)
    np.testing.assert_allclose(found.picture, found.picture[::-1, ::-1], atol=1e-5)
    assert found.extent.size_px == pytest.approx(4, abs=1e-4)
    assert found.size_se_px == pytest.approx(0, abs=1e-4)


def test_the_error_is_that_of_images_that_disagree(rng):
    net, field = planted(np.ones((7, 7)))
    alike = [bright(11, 11, 7, rng) for _ in range(4)]
    other = [bright(11, 11, 7, rng) for _ in range(4)]
    for image in other[2:]:
        image[:, 11:18, 11:18] = 0.3
        image[:, 13:16, 13:16] = 3  # there the middle makes the response
    how = occluder(size_px=1, stride_px=1)
    calm, _ = measured(net, field, alike, how)
    unsure, maps = measured(net, field, other, how)
    assert calm.size_se_px < 1e-5
    assert 3 < unsure.extent.size_px < 7
    left_out = [
        receptive_field(maps[:n] + maps[n + 1 :], 0, field).extent.size_px for n in range(4)
    ]
    assert unsure.size_se_px == pytest.approx(np.std(left_out) * np.sqrt(3))


def test_a_silent_unit_has_no_size(rng):
    net, field = planted(np.zeros((7, 7)))
    found, _ = measured(net, field, [bright(11, 11, 7, rng)] * 2, occluder())
    assert np.isnan(found.extent.size_px)
    assert np.isnan(found.area_px)
    assert np.isnan(found.size_se_px)
    assert found.images == 0
    assert not found.picture.any()
    assert not found.mask.any()


def test_what_grows_under_the_occluder_is_no_part_of_the_field(rng):
    weights = -np.ones((7, 7))
    weights[2:5, 2:5] = 9
    net, field = planted(weights)
    image = bright(13, 13, 3, rng)
    image[:, 11:18, 11:18] = 1
    found, maps = measured(net, field, [image], occluder(size_px=1, stride_px=1))
    assert maps[0].drops.min() < 0
    assert found.extent.size_px == pytest.approx(3, abs=1e-3)


def test_a_segment_is_where_the_unit_looked(rng):
    net, field = planted(np.ones((7, 7)))
    image = bright(10, 15, 7, rng)
    _, maps = measured(net, field, [image], occluder(size_px=1, stride_px=1))
    expected = np.zeros((PX, PX), dtype=bool)
    expected[10:17, 15:22] = True
    assert np.array_equal(segment(maps[0], 0, (PX, PX), fraction=0.5), expected)


def test_what_makes_no_field_is_refused_in_one_line(rng):
    net, field = planted(np.ones((3, 3)))
    _, maps = measured(net, field, [bright(9, 9, 3, rng)], occluder())
    assert isinstance(maps[0], Maps)
    with pytest.raises(ValueError, match=r"^a field needs maps and .*; given 0 and 0.5$"):
        receptive_field([], 0, field)
    with pytest.raises(ValueError, match=r"^there is no map of unit 3; there are \[0\]$"):
        receptive_field(maps, 3, field)
