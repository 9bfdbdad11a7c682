import numpy as np
import pytest
import torch
import torch.nn as nn
from facelab_probing.hooks import tap
from facelab_probing.responses import as_tensor, batches, evaluating, fingerprint, show, survey


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (10, 6, 8, 3), dtype=np.uint8)


def tiny(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(96, 5), nn.Dropout()
    )


class Viewing(nn.Module):
    """Networks that flatten with `view` refuse channels-last images."""

    def __init__(self):
        super().__init__()
        self.all = nn.Identity()

    def forward(self, images):
        return self.all(images.view(len(images), -1))


class Idle(nn.Module):
    """A layer that is never called."""

    def __init__(self):
        super().__init__()
        self.busy, self.idle = nn.Identity(), nn.Identity()

    def forward(self, images):
        return self.busy(images)


def heard(net, batched, layers, **settings):
    found = {name: [] for name in layers}
    hear = {
        name: lambda row, response, name=name: found[name].append((row, response.clone()))
        for name in layers
    }
    show(net, batched, hear, channels_last=True, done=settings.get("done", lambda rows: None))
    return found


def test_images_arrive_as_the_numbers_on_disk_over_255(images):
    seen = as_tensor(nn.Identity(), images)
    assert seen.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(seen.numpy(), images.transpose(0, 3, 1, 2) / np.float32(255))


def test_images_that_are_no_bytes_are_refused(images):
    with pytest.raises(ValueError, match=r"\(n, H, W, 3\).* uint8; these are .* float64"):
        as_tensor(nn.Identity(), images / 255)


def test_survey_tells_shapes_in_the_order_asked():
    found = survey(tiny(), ["3", "0"], (6, 8, 3))
    assert found.shapes == {"3": (5,), "0": (4, 4, 6)}
    assert list(found.shapes) == ["3", "0"]
    assert found.channels_last


def test_survey_finds_networks_that_need_the_usual_order():
    found = survey(Viewing(), ["all"], (6, 8, 3))
    assert not found.channels_last
    assert found.shapes == {"all": (144,)}


def test_survey_notices_a_constant_that_is_no_weight():
    class Scaled(nn.Identity):
        def __init__(self, scale):
            super().__init__()
            self.scale = scale

        def forward(self, images):
            return images * self.scale

    one, two = nn.Sequential(Scaled(1)), nn.Sequential(Scaled(2))
    assert fingerprint(one) == fingerprint(two)
    assert survey(one, ["0"], (6, 8, 3)).levels != survey(two, ["0"], (6, 8, 3)).levels


@pytest.mark.parametrize(
    ("layers", "said"),
    [(["idle"], "'idle' is never called"), ([], "layers must be named"), (["busy"] * 2, "once")],
)
def test_survey_refuses_layers_that_cannot_be_recorded(layers, said):
    with pytest.raises(ValueError, match=said):
        survey(Idle(), layers, (6, 8, 3))


def test_a_layer_without_a_row_per_image_is_refused():
    with pytest.raises(ValueError, match="one row per image"):
        survey(nn.Sequential(nn.Flatten(0)), ["0"], (6, 8, 3))


def test_show_equals_plain_hooks_exactly(images):
    net = tiny().eval()
    layers = ["0", "1", "3"]
    found = heard(net, [(0, images)], layers)
    with torch.no_grad(), tap(net, layers) as outputs:
        net(as_tensor(net, images))
    for name in layers:
        (row, response), *rest = found[name]
        assert row == 0 and not rest
        assert (response - outputs[name]).abs().max() == 0


def test_show_stops_after_the_last_layer_heard(images):
    class Loud(nn.Module):
        def forward(self, images):
            raise AssertionError("this layer was not needed")

    net = nn.Sequential(nn.Identity(), Loud())
    assert len(heard(net, [(0, images)], ["0"])["0"]) == 1
    with pytest.raises(AssertionError):
        net(as_tensor(net, images))


def test_show_tells_how_far_it_is(images):
    rows = []
    heard(tiny(), [(0, images[:4]), (4, images[4:])], ["3"], done=rows.append)
    assert rows == [4, 10]


def test_modes_and_hooks_are_restored_after_an_error(images):
    net = tiny().train()
    net[0].eval()  # frozen while the rest learns

    def fail(row, response):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        show(net, [(0, images)], {"3": fail}, channels_last=True, done=lambda rows: None)
    assert [module.training for module in net] == [False, True, True, True, True]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_evaluation_silences_dropout(images):
    net = tiny().train()
    with evaluating(net):
        assert (net(as_tensor(net, images)) == net(as_tensor(net, images))).all()


@pytest.mark.parametrize("cuts", [[], [1, 2, 9], [5], [4, 8]])
def test_batches_do_not_depend_on_blocks(images, cuts):
    ids = np.arange(30, 40)
    blocks = zip(np.split(ids, cuts), np.split(images, cuts), strict=True)
    found = list(batches(blocks, ids, 4))
    assert [(row, len(part)) for row, part in found] == [(0, 4), (4, 4), (8, 2)]
    np.testing.assert_array_equal(np.concatenate([part for _, part in found]), images)


@pytest.mark.parametrize("start", [0, 4, 8, 10])
def test_batches_leave_out_what_is_done(images, start):
    ids = np.arange(10)
    blocks = zip(np.split(ids, [3, 7]), np.split(images, [3, 7]), strict=True)
    found = list(batches(blocks, ids, 4, start))
    assert [row for row, _ in found] == list(range(start, 10, 4))
    for row, part in found:
        np.testing.assert_array_equal(part, images[row : row + 4])


def test_batches_refuse_other_images_and_fewer(images):
    ids = np.arange(10)
    with pytest.raises(ValueError, match="block at row 0 does not hold the images announced"):
        list(batches([(ids[::-1], images)], ids, 4))
    with pytest.raises(ValueError, match="ended after 6 of 10 images"):
        list(batches([(ids[:6], images[:6])], ids, 4))
    mixed = [(ids[:6], images[:6]), (ids[6:], images[6:, :4])]
    with pytest.raises(ValueError, match=r"images at row 6 are \(4, 8\) px, others \(6, 8\)"):
        list(batches(mixed, ids, 4))


def test_the_fingerprint_is_of_content_not_of_the_object():
    assert fingerprint(tiny()) == fingerprint(tiny())
    other = tiny()
    with torch.no_grad():
        other[3].bias[0] += 1e-3
    assert fingerprint(tiny()) != fingerprint(other)
    strided, padded = nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(3, 4, 3, stride=1)
    padded.load_state_dict(strided.state_dict())
    assert fingerprint(strided) != fingerprint(padded)


def test_a_network_with_two_eyes_is_surveyed_with_six_channels():
    net = nn.Sequential(nn.Conv2d(6, 2, 3))
    assert survey(net, ["0"], (6, 8, 6)).shapes == {"0": (2, 4, 6)}
    assert as_tensor(net, np.zeros((1, 6, 8, 6), np.uint8)).shape == (1, 6, 6, 8)
