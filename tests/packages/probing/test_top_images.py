import numpy as np
import pytest
import torch
import torch.nn as nn
from facelab_probing.hooks import tap
from facelab_probing.responses import as_tensor
from facelab_probing.top_images import top_images

LAYERS = ("1", "4")
COUNT = 23


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return nn.Sequential(
            *(nn.Conv2d(3, 5, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten()),
            nn.LazyLinear(4),
        )


@pytest.fixture
def images(rng):
    images = rng.integers(0, 256, (COUNT, 10, 9, 3), np.uint8)
    images[17] = images[4]  # equals, to the last bit
    return images


def split(ids, images, size):
    return [(ids[n : n + size], images[n : n + size]) for n in range(0, len(ids), size)]


@torch.no_grad()
def one_by_one(net, ids, images, pooling):
    """Sort every response of every unit by hand: rows of (id, response, row, column)."""
    tables = {}
    with tap(net, LAYERS) as heard:
        rows = {layer: [] for layer in LAYERS}
        for image in images:
            net(as_tensor(net, image[None]))
            for layer in LAYERS:
                rows[layer].append(heard[layer][0].numpy().copy())
    for layer in LAYERS:
        maps = np.stack(rows[layer])
        maps = maps.reshape(*maps.shape[:2], -1, maps.shape[-1] if maps.ndim == 4 else 1)
        for unit in range(maps.shape[1]):
            found = []
            for name, one in zip(ids, maps[:, unit], strict=True):
                value = one.max() if pooling == "maximum" else one.mean()
                place = np.unravel_index(one.argmax(), one.shape)
                found.append((-value, name, *place))
            tables[layer, unit] = sorted(found)
    return tables


@pytest.mark.parametrize("pooling", ["maximum", "mean"])
def test_the_best_images_are_those_of_a_full_sort(images, rng, pooling):
    net, ids = network(), rng.permutation(100)[:COUNT]
    tables = one_by_one(net, ids, images, pooling)
    found = top_images(net, split(ids, images, 7), LAYERS, 6, pooling=pooling, batch=3)
    for (layer, unit), table in tables.items():
        top, best = found[layer], np.array(table[:6])
        assert top.ids.shape == (5 if layer == "1" else 4, 6)
        np.testing.assert_allclose(top.responses[unit], -best[:, 0], rtol=1e-5)
        if len(set(top.responses[unit])) == 6:
            assert top.ids[unit].tolist() == best[:, 1].tolist()
            assert top.rows[unit].tolist() == best[:, 2].tolist()
            assert top.columns[unit].tolist() == best[:, 3].tolist()


def test_order_and_batches_do_not_matter(images, rng):
    net, ids = network(), np.arange(COUNT)
    once = top_images(net, [(ids, images)], LAYERS, 9)
    order = rng.permutation(COUNT)
    again = top_images(net, split(order, images[order], 4), LAYERS, 9, batch=4)
    for layer in LAYERS:
        np.testing.assert_allclose(again[layer].responses, once[layer].responses, rtol=1e-6)
    for name in ("ids", "rows", "columns"):
        assert np.array_equal(getattr(again["1"], name), getattr(once["1"], name))


def test_of_equal_images_the_lower_id_comes_first(images):
    ids = np.arange(COUNT)[::-1]
    top = top_images(network(), [(ids, images)], ["1"], COUNT)["1"]
    twins = COUNT - 1 - 17, COUNT - 1 - 4
    for row in top.ids.tolist():
        assert row.index(twins[1]) - row.index(twins[0]) == 1


def test_a_silent_unit_has_the_lowest_ids_at_the_first_place(images):
    net = network()
    with torch.no_grad():
        net[0].bias.fill_(-1000)
    top = top_images(net, [(np.arange(COUNT), images)], ["1"], 3)["1"]
    assert (top.ids == [0, 1, 2]).all()
    assert not top.responses.any()
    assert not top.rows.any()
    assert not top.columns.any()


def test_fewer_images_than_asked_for_leave_the_rest_empty(images):
    top = top_images(network(), [(np.arange(2), images[:2])], ["4"], 3)["4"]
    assert (top.ids[:, 2] == -1).all()
    assert np.isneginf(top.responses[:, 2]).all()


def test_a_network_is_left_as_it_was(images):
    net = network()
    top_images(net, [(np.arange(COUNT), images)], LAYERS, 2)
    assert net.training
    assert not any(module._forward_hooks for module in net.modules())


def test_what_cannot_be_asked_is_refused_in_one_line(images):
    blocks = [(np.arange(COUNT), images)]
    with pytest.raises(ValueError, match=r"^unknown pooling 'median'; choose from maximum, mean$"):
        top_images(network(), blocks, LAYERS, 2, pooling="median")
    with pytest.raises(ValueError, match=r"^k is 1 or more, not 0$"):
        top_images(network(), blocks, LAYERS, 0)
    net = network()
    with torch.no_grad():
        net(torch.rand(1, 3, 10, 9))
        net[4].bias.fill_(torch.nan)
    with pytest.raises(ValueError, match=r"^layer '4' responds with what is not a finite number$"):
        top_images(net, blocks, ["4"], 2)
