import numpy as np
import torch
from facelab_probing.changes import Level, Window
from facelab_probing.graphs import Graph
from facelab_probing.sweeps import Paint, foresee, sweep

IMAGE = Level(torch.rand(1, 1, 9, 8))
BARE = Graph(steps=(), layers={"": 0})


def paint():
    squares = torch.arange(9.0).view(3, 3, 1, 1, 1).expand(3, 3, 3, 3, 1)
    return Paint(squares=squares, rows=np.array([0, 3, 6]), columns=np.array([0, 3, 6]))


def test_squares_cover_the_image_and_are_cut_off_by_its_edge():
    place = Window(rows=torch.tensor([3]), columns=torch.tensor([4]), size=(4, 4))
    change = paint().on(IMAGE, (np.array([1]), np.array([2])), place)
    seen = IMAGE.whole(change)[0, 0]
    assert (seen[3:6, 6:] == 5).all()
    seen[3:6, 6:] = IMAGE.maps[0, 0, 3:6, 6:]
    torch.testing.assert_close(seen, IMAGE.maps[0, 0])


def test_every_square_is_tried_once():
    reach = foresee(BARE, {0: IMAGE}, {0: ((0, 8), (0, 7))}, paint())
    count = np.zeros((3, 3))
    for (rows, columns), found in sweep(BARE, {0: IMAGE}, reach, paint()):
        count[rows[:, None], columns] += 1
        assert len(found[0].values) == len(rows) * len(columns)
    assert (count == 1).all()


def test_squares_that_cannot_matter_are_left_out():
    reach = foresee(BARE, {0: IMAGE}, {0: ((4, 4), (0, 3))}, paint())
    assert reach.rows.tolist() == [1]
    assert reach.columns.tolist() == [0, 1]
    far = Paint(squares=paint().squares, rows=np.array([0, 3, 6]), columns=np.array([5, 6, 7]))
    none = foresee(BARE, {0: IMAGE}, {0: ((4, 4), (0, 3))}, far)
    assert list(sweep(BARE, {0: IMAGE}, none, far)) == []
