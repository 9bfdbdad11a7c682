from dataclasses import replace

import numpy as np
import pytest
import torch.nn as nn
from facelab_probing import mapping
from facelab_probing.fields import theoretical
from facelab_probing.mapping import (
    SWEEP_MOST,
    SWEEP_PER_VIEW,
    Wanted,
    blocks,
    break_even,
    choose,
    map_images,
    plan,
)
from facelab_probing.occlusion import map_all, prepare

from tests.packages.probing.hidden import PX, network, occluder, photograph

LAYERS = ("1", "3")
IDS = {"1": np.array([[9, 2], [5, 9]]), "3": np.array([[5, 2], [2, 9], [9, -1], [2, 5]])}


def see(image):
    return photograph(image).numpy()


@pytest.fixture(scope="module")
def ready():
    net, _ = network("squeezenet")
    return lambda layers: prepare(net, layers, (PX, PX))


def wanted(alone=9.0, ids=IDS):
    return [
        Wanted(layer=layer, units=np.arange(len(each)), ids=each, alone=alone)
        for layer, each in ids.items()
    ]


def run(ready, folder, how, asked=None, **values):
    options = {"seed": 7, "others": [2, 5, 9]} | values
    asked = asked or wanted()
    todo = plan(asked, folder)
    map_images(ready, asked, see, how, todo, **options)
    return list(todo)


def table(paths):
    """Give each map by its layer, its unit's row and its image's rank."""
    return {
        (layer, int(row), int(rank)): block.drops[number]
        for layer in LAYERS
        for block in blocks(paths, layer)
        for number, (row, rank) in enumerate(zip(block.rows, block.ranks, strict=True))
    }


def test_every_unit_is_mapped_for_each_of_its_images_and_no_other(ready, tmp_path):
    found = table(run(ready, tmp_path, occluder()))
    asked = {(n, *place) for n, ids in IDS.items() for place in np.argwhere(ids >= 0).tolist()}
    assert found.keys() == asked
    rng = np.random.default_rng()
    for (layer, row, rank), drops in found.items():
        image = photograph(IDS[layer][row, rank])
        whole = map_all(ready([layer]), image, occluder(), rng=rng)[layer]
        assert np.allclose(drops, whole.drops[row], atol=1e-9)


@pytest.mark.parametrize("filling", ["noise", "patch"])
def test_a_job_that_was_killed_ends_with_the_same_numbers(ready, tmp_path, filling, monkeypatch):
    monkeypatch.setattr(mapping, "BLOCK", 1)
    how = occluder(filling=filling)
    whole = table(run(ready, tmp_path / "whole", how))

    def die(image):
        if (tmp_path / "cut" / "00000001.npz").exists():
            raise KeyboardInterrupt
        return see(image)

    options = {"seed": 7, "others": [2, 5, 9]}
    with pytest.raises(KeyboardInterrupt):
        map_images(ready, wanted(), die, how, plan(wanted(), tmp_path / "cut"), **options)
    (tmp_path / "cut" / "00000002.part.npz").write_bytes(b"half")
    again = table(run(ready, tmp_path / "cut", how))
    assert whole.keys() == again.keys()
    assert all(np.array_equal(whole[key], again[key]) for key in whole)


def test_what_is_finished_is_not_computed_again(ready, tmp_path):
    first = table(run(ready, tmp_path, occluder()))

    def never(asked):
        raise AssertionError(asked)

    again, told = plan(wanted(), tmp_path), []
    options = {"seed": 7, "others": [], "done": told.append}
    map_images(never, wanted(), never, occluder(), again, **options)
    assert all(np.array_equal(first[key], drops) for key, drops in table(again).items())
    assert told == [3]


def test_parts_of_a_plan_make_up_the_whole(ready, tmp_path, monkeypatch):
    monkeypatch.setattr(mapping, "BLOCK", 1)
    noise, told = occluder(filling="noise"), []
    whole = table(run(ready, tmp_path / "whole", noise))
    todo = plan(wanted(), tmp_path / "parts")
    assert list(todo.values()) == [[2], [5], [9]]
    for part in (1, 0):
        some = {path: todo[path] for path in list(todo)[part::2]}
        options = {"seed": 7, "others": [2, 5, 9], "done": told.append}
        map_images(ready, wanted(), see, noise, some, **options)
    parts = table(todo)
    assert whole.keys() == parts.keys()
    assert all(np.array_equal(whole[key], parts[key]) for key in whole)
    assert told == [1, 1, 1]


def test_occluders_depend_on_the_image_and_the_seed_alone(ready, tmp_path):
    noise = occluder(filling="noise")
    first = table(run(ready, tmp_path / "a", noise))
    turned = wanted(ids={"3": IDS["3"][::-1, ::-1]})
    turned[0] = replace(turned[0], units=np.arange(4)[::-1])
    second = table(run(ready, tmp_path / "b", noise, turned))
    other = table(run(ready, tmp_path / "c", noise, seed=8))
    for layer, row, rank in first:
        if layer == "3":
            twin = second[layer, 3 - row, 1 - rank]
            assert np.allclose(twin, first[layer, row, rank], atol=1e-12)
    assert max(abs(other[key] - first[key]).max() for key in first) > 1e-3


@pytest.mark.parametrize("filling", ["noise", "patch"])
def test_one_sweep_and_single_units_agree(ready, tmp_path, monkeypatch, filling):
    how = occluder(filling=filling)
    many = table(run(ready, tmp_path / "many", how))
    monkeypatch.setattr(mapping, "map_units", None)
    swept = table(run(ready, tmp_path / "swept", how, wanted(alone=0.0)))
    assert many.keys() == swept.keys()
    assert all(np.allclose(many[key], swept[key], atol=1e-9) for key in many)


def test_other_reductions_are_swept(ready, tmp_path):
    found = table(run(ready, tmp_path, occluder(reduction="absolute")))
    assert all((drops >= 0).all() for drops in found.values())


def test_patches_need_another_image(ready, tmp_path):
    with pytest.raises(ValueError, match="there is only image 2"):
        run(ready, tmp_path, occluder(filling="patch"), others=[2])


def test_a_larger_draw_of_units_holds_the_smaller():
    few, more, every = (choose(50, most, np.random.default_rng(3)) for most in (5, 20, 0))
    assert len(few) == 5
    assert set(few) < set(more) < set(every)
    assert every.tolist() == list(range(50))
    assert (np.diff(more) > 0).all()


def test_the_more_of_the_image_a_unit_sees_the_sooner_a_sweep_pays():
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Conv2d(2, 2, 21), nn.Flatten(), nn.Linear(242, 2))
    found = theoretical(net, ["0", "1", "3"], (PX, PX))
    small, large, whole = (break_even(found[n], occluder(), (PX, PX)) for n in ("0", "1", "3"))
    assert small > large > whole
    assert whole == SWEEP_PER_VIEW
    assert small <= SWEEP_MOST
