import numpy as np
import pytest
import torch.nn as nn
from facelab_probing import mapping
from facelab_probing.fields import theoretical
from facelab_probing.mapping import (
    SWEEP_MOST,
    SWEEP_PER_VIEW,
    Wanted,
    break_even,
    choose,
    map_blocks,
)
from facelab_probing.occlusion import map_all, prepare

from tests.packages.probing.hidden import PX, network, occluder, photograph

LAYER = "3"
IDS = np.array([[5, 2], [2, 9], [9, -1], [2, 5]])


def see(image):
    return photograph(image).numpy()


@pytest.fixture(scope="module")
def subject():
    net, _ = network("squeezenet")
    return prepare(net, [LAYER], (PX, PX))


def wanted(**values):
    return Wanted(**({"layer": LAYER, "units": np.arange(4), "ids": IDS, "alone": 9.0} | values))


def run(subject, folder, how, **values):
    options = {"seed": 7, "others": [2, 5, 9]} | values
    return list(map_blocks(subject, wanted(), see, how, folder, **options))


def table(blocks):
    """Give each map by its unit's row and its image's rank."""
    return {
        (int(row), int(rank)): block.drops[number]
        for block in blocks
        for number, (row, rank) in enumerate(zip(block.rows, block.ranks, strict=True))
    }


def test_every_unit_is_mapped_for_each_of_its_images_and_no_other(subject, tmp_path):
    found = table(run(subject, tmp_path, occluder()))
    assert found.keys() == {(row, rank) for row in range(4) for rank in range(2)} - {(2, 1)}
    rng = np.random.default_rng()
    whole = {i: map_all(subject, photograph(i), occluder(), rng=rng)[LAYER] for i in (2, 5, 9)}
    for (row, rank), drops in found.items():
        assert np.allclose(drops, whole[IDS[row, rank]].drops[row], atol=1e-9)


@pytest.mark.parametrize("filling", ["noise", "patch"])
def test_a_job_that_was_killed_ends_with_the_same_numbers(subject, tmp_path, filling, monkeypatch):
    monkeypatch.setattr(mapping, "BLOCK", 1)
    how = occluder(filling=filling)
    whole = table(run(subject, tmp_path / "whole", how))

    def die(image):
        if (tmp_path / "cut" / "00000001.npz").exists():
            raise KeyboardInterrupt
        return see(image)

    options = {"seed": 7, "others": [2, 5, 9]}
    with pytest.raises(KeyboardInterrupt):
        list(map_blocks(subject, wanted(), die, how, tmp_path / "cut", **options))
    (tmp_path / "cut" / "00000002.part.npz").write_bytes(b"half")
    again = table(run(subject, tmp_path / "cut", how))
    assert whole.keys() == again.keys()
    assert all(np.array_equal(whole[key], again[key]) for key in whole)


def test_what_is_finished_is_not_computed_again(subject, tmp_path):
    first = table(run(subject, tmp_path, occluder()))

    def never(image):
        raise AssertionError(image)

    again = map_blocks(subject, wanted(), never, occluder(), tmp_path, seed=7, others=[])
    assert all(np.array_equal(first[key], drops) for key, drops in table(again).items())


def test_occluders_depend_on_the_image_and_the_seed_alone(subject, tmp_path):
    noise = occluder(filling="noise")
    first = table(run(subject, tmp_path / "a", noise))
    turned = wanted(units=np.arange(4)[::-1], ids=IDS[::-1, ::-1])
    options = {"seed": 7, "others": []}
    second = table(map_blocks(subject, turned, see, noise, tmp_path / "b", **options))
    other = table(run(subject, tmp_path / "c", noise, seed=8))
    for row, rank in first:
        assert np.allclose(second[3 - row, 1 - rank], first[row, rank], atol=1e-12)
    assert max(abs(other[key] - first[key]).max() for key in first) > 1e-3


def test_one_sweep_and_single_units_agree(subject, tmp_path, monkeypatch):
    many = table(run(subject, tmp_path / "many", occluder()))
    monkeypatch.setattr(mapping, "map_units", None)
    swept = map_blocks(
        *(subject, wanted(alone=0.0), see, occluder(), tmp_path / "swept"), seed=7, others=[]
    )
    swept = table(swept)
    assert all(np.allclose(many[key], swept[key], atol=1e-9) for key in many)


def test_other_reductions_are_swept(subject, tmp_path):
    found = table(run(subject, tmp_path, occluder(reduction="absolute")))
    assert all((drops >= 0).all() for drops in found.values())


def test_patches_need_another_image(subject, tmp_path):
    with pytest.raises(ValueError, match="there is only image 2"):
        run(subject, tmp_path, occluder(filling="patch"), others=[2])


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
