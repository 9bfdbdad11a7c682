import numpy as np
import pytest
import torch
from facelab_probing.changes import Change, Level, Window
from facelab_probing.discrepancies import Gathering
from facelab_probing.sweeps import Paint

from tests.packages.probing.hidden import occluder

LEVEL = Level(torch.tensor([[[[1.0, 5, 5], [0, 2, 4]], [[0.0, 0, 0], [0, 0, 0]]]]))
PAINT = Paint(squares=torch.zeros(1, 1, 2, 2, 3), rows=np.array([0]), columns=np.array([1]))


def gathering(reduction):
    return Gathering.empty(LEVEL.maps, PAINT, occluder(reduction=reduction))


def change():
    values = torch.zeros(1, 2, 2, 2)
    values[0, :, :, 0] = torch.tensor([[-3.0, 7], [-4, 0]])
    place = Window(rows=torch.tensor([0]), columns=torch.tensor([1]), size=(2, 2))
    return Change(values, place)


@pytest.mark.parametrize(
    ("reduction", "drop"), [("at_maximum", 3), ("largest", 4), ("absolute", 7)]
)
def test_each_reduction_is_what_it_says_for_a_part_and_for_the_whole(reduction, drop):
    for changed in (change(), LEVEL.whole(change())):
        found = gathering(reduction)
        found.fill((np.array([0]), np.array([0])), changed, LEVEL)
        maps = found.maps(PAINT, "incremental")
        assert maps.drops.ravel().tolist() == [drop, 0]
        assert maps.responses.tolist() == [5, 0]
        assert maps.places.tolist() == [[0, 1], [0, 0]]  # the first of equals


def test_units_are_kept_in_the_order_asked_for():
    some = gathering("largest").maps(PAINT, "incremental").only((1, 0))
    assert some.units.tolist() == [1, 0]
    assert some.responses.tolist() == [0, 5]


def test_a_pixel_is_painted_the_mean_of_the_occluders_that_cover_it():
    paint = Paint(squares=torch.zeros(2, 1, 3, 3, 3), rows=np.array([0, 2]), columns=np.array([1]))
    found = Gathering.empty(LEVEL.maps[:, :1], paint, occluder())
    found.drops[0, :, 0] = torch.tensor([2.0, 4.0])
    painted = found.maps(paint, "incremental").painted((6, 5))[0]
    assert painted[:, 2].tolist() == [2, 2, 3, 4, 4, 0]
    assert not painted[:, [0, 4]].any()
