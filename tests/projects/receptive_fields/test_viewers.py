from dataclasses import replace

import numpy as np
import pytest
import torch
from facelab_models.network import build
from facelab_probing.occluders import Occluder
from facelab_probing.occlusion import map_all
from facelab_probing.top_images import top_images

from projects.receptive_fields import viewers
from projects.receptive_fields.viewers import find, rows_of

BLACK = Occluder(size_px=4, stride_px=4, filling="black", grid="floor", reduction="at_maximum")


def test_images_come_in_blocks_with_their_ids(viewer, made, monkeypatch):
    monkeypatch.setattr(viewers, "BLOCK", 4)
    ids, images = zip(*viewer.blocks(), strict=True)
    assert [len(block) for block in ids] == [4, 4, 1]
    assert np.array_equal(np.concatenate(ids), viewer.rows)
    assert np.array_equal(np.concatenate(images), made.images(viewer.rows))


@pytest.mark.parametrize("size_px", [0, 32])
def test_occluded_images_are_of_the_size_the_network_works_at(viewer, size_px):
    """What a unit answers to a whole image is what it was ranked by."""
    net = build(replace(viewer.net.spec, size_px=size_px), seed=1).eval()
    viewer = replace(viewer, net=net)
    layer = "trunk.block1.conv"
    best = top_images(net, viewer.blocks(), [layer], 1)[layer]
    subject = viewer.prepare([layer])
    assert subject.computed == "incremental"
    assert viewer.size_px == ((size_px or 24),) * 2
    for unit in (0, 5):
        image = torch.from_numpy(viewer.see(int(best.ids[unit, 0])))
        maps = map_all(subject, image, BLACK, rng=np.random.default_rng())[layer]
        assert maps.responses[unit] == pytest.approx(best.responses[unit, 0], rel=1e-4)
        assert maps.drops.shape[1:] == (viewer.size_px[0] // 4,) * 2


def test_a_network_is_untrained_only_before_training_from_nothing(viewer):
    first = replace(viewer, facts=viewer.facts | {"epoch": 0.0})
    assert (viewer.state, first.state) == ("trained", "untrained")
    assert replace(first, weights="given.pt").state == "trained"


def test_checkpoints_are_found_in_every_seed(tmp_path):
    class Reading:
        def read(self, path):
            return tmp_path

    for seed in (1, 0):
        for epoch in (0.0, 2.0, 5.0):
            path = tmp_path / f"seed-{seed}" / f"epoch-{epoch:08.3f}.pt"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    found = find(Reading(), "net", ("first", "last", "5.000"))
    names = [f"{path.parent.name} {path.stem}" for path in found]
    assert names == [f"seed-{s} epoch-000{e}.000" for s in (0, 1) for e in (0, 5)]
    assert len(find(Reading(), "net", ("all",))) == 6
    with pytest.raises(ValueError, match="unknown checkpoint '7'"):
        find(Reading(), "net", ("7",))


def test_a_split_without_images_is_named_beside_those_that_have_some(made):
    assert rows_of(made, ("training", "holdout")).tolist() == list(range(12))
    with pytest.raises(ValueError, match="no image of split 'testing'; it has training, holdout"):
        rows_of(made, ("holdout", "testing"))
