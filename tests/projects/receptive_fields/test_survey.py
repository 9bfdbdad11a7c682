import numpy as np
import pytest
from facelab_probing import mapping
from facelab_probing.occluders import Occluder

from projects import hardware
from projects.receptive_fields.survey import Survey, carry_out
from projects.receptive_fields.viewers import Viewer

NOISE = Occluder(
    size_px=3, stride_px=3, filling="noise", grid="floor", reduction="at_maximum", colour=None
)


@pytest.fixture
def survey(viewer, tmp_path):
    ids = np.stack([np.roll(viewer.rows, shift)[:3] for shift in range(4)])
    wanted = mapping.Wanted(layer="trunk.block1.conv", units=np.arange(4), ids=ids, alone=9.0)
    options = {"occluder": NOISE, "coarse": None, "seed": 3}
    return lambda name: Survey(viewer=viewer, wanted=(wanted,), folder=tmp_path / name, **options)


def maps(paths):
    return [block.drops for block in mapping.blocks(paths, "trunk.block1.conv")]


def test_processes_share_the_blocks_and_give_the_same_maps(survey, monkeypatch):
    monkeypatch.setattr(mapping, "BLOCK", 1)
    found = []
    for processors in (1, 2):
        monkeypatch.setattr(hardware, "processors", lambda _, count=processors: count)
        found.append(maps(carry_out(survey(str(processors)))))
    alone, together = found
    assert len(alone) == len(together) > 2
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_what_a_process_cannot_do_is_said(survey, monkeypatch):
    monkeypatch.setattr(hardware, "processors", lambda _: 2)
    monkeypatch.setattr(mapping, "BLOCK", 1)
    one = survey("maps")
    one.folder.write_text("in the way")
    with pytest.raises(OSError, match="maps"):
        carry_out(one)


def test_no_more_processes_than_blocks(survey, monkeypatch):
    monkeypatch.setattr(hardware, "processors", lambda _: 64)
    monkeypatch.setattr(Viewer, "__reduce__", None)  # one is not sent anywhere
    assert len(carry_out(survey("maps"))) == 1
