import pytest
import torch
from facelab_probing.changes import Change, Level, Window

MAPS = torch.rand(1, 2, 6, 5)


def window(rows, columns, size):
    return Window(rows=torch.tensor(rows), columns=torch.tensor(columns), size=size)


def test_values_are_cut_out_and_lie_in_minus_infinity():
    cut = Level(MAPS).at(window([1, 4], [3, -1], (2, 3)))
    assert torch.equal(cut[0, :, :2], MAPS[0, :, 1:3, 3:5].permute(1, 2, 0))
    assert torch.equal(cut[1, :, 1:], MAPS[0, :, 4:6, 0:2].permute(1, 2, 0))
    assert torch.isneginf(cut[0, :, 2]).all()
    assert torch.isneginf(cut[1, :, 0]).all()


def test_a_change_is_added_to_its_window_only():
    change = Change(torch.ones(2, 2, 3, 2), window([0, 3], [2, 1], (2, 3)))
    whole = Level(MAPS).whole(change) - MAPS
    assert whole.shape == (2, 2, 6, 5)
    torch.testing.assert_close(whole[0, :, 0:2, 2:5], torch.ones(2, 2, 3))
    torch.testing.assert_close(whole[1, :, 3:5, 1:4], torch.ones(2, 2, 3))
    assert whole.count_nonzero() == 24


@pytest.mark.parametrize("rows", [[0, 2], [1, 2]])
def test_a_change_in_a_larger_window_is_the_same_change(rows):
    change = Change(torch.rand(2, 2, 3, 1), window([1, 2], [1, 1], (2, 3)))
    larger = window(rows, [0, 0], (4, 5))
    level = Level(torch.zeros(1, 1, 6, 5))
    moved = Change(change.within(larger), larger)
    torch.testing.assert_close(level.whole(moved), level.whole(change))


def test_what_lies_beyond_a_window_is_cut_off():
    change = Change(torch.ones(2, 3, 3, 1), window([1, 1], [1, 1], (3, 3)))
    same, different = window([2, 2], [2, 2], (1, 1)), window([3, 0], [1, 1], (2, 1))
    assert change.within(same).shape == (2, 1, 1, 1)
    assert change.within(different).flatten(1).tolist() == [[1, 0], [0, 1]]
